"""The pages: what each person may see and do, served as plain HTML. Pages ask rooms and casework; they touch no tables."""
