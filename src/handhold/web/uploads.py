"""How a file that comes through the page is kept: sealed piece by piece as it arrives, never in the clear, never whole in memory."""

import uuid
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from handhold import feeds, store


class Sealed(UploadedFile):
    """A file that lies in the spool."""

    def __init__(self, part: store.spool.Part, id: uuid.UUID, name: str) -> None:
        super().__init__(file=None, name=name, size=part.written)
        self.part, self.id = part, id


class Handler(FileUploadHandler):
    """Seals each piece into the spool of this agency. One file a request: a second one is dropped."""

    chunk_size = store.blobs.CHUNK

    def __init__(self, request: HttpRequest, agency: str, most: int) -> None:
        super().__init__(request)
        self.agency, self.most = agency, most
        self.id = uuid.uuid4()
        self.draft: store.spool.Draft | None = None

    def new_file(self, *words: Any, **more: Any) -> None:
        """A file begins."""
        super().new_file(*words, **more)
        if self.draft is not None:
            raise StopUpload(connection_reset=False)
        self.draft = store.spool.Draft(feeds.upload.place(self.agency, self.id), 0)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """A piece came."""
        assert self.draft is not None  # noqa: S101 - Django announces a file before its pieces
        if self.draft.written + len(raw_data) > self.most:
            raise StopUpload(connection_reset=True)
        self.draft.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """The file is whole."""
        return Sealed(self.draft.done(), self.id, self.file_name or "") if self.draft else None

    def upload_interrupted(self) -> None:
        """The connection broke: a page cannot go on, so nothing is kept."""
        if self.draft is not None:
            self.draft.drop()
