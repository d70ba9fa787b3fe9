-- Models trained here: each as its text, and since when and until when it was the one that decides. Without one the pack's does.
create table identity_model (
    version text primary key,
    text_ text not null,
    spec text not null,                  -- the comparison specification that it was trained for
    files integer not null,              -- how many files it was trained on
    trained timestamptz not null,
    by text not null,
    adopted timestamptz,
    until timestamptz
);
create unique index identity_model_one on identity_model ((true)) where adopted is not null and until is null;

-- Whether a question waits about a file is asked at every file that comes.
create index identity_question_other on identity_question (file_b) where closed is null;
