"""The verbs: what each takes and asks. A module is imported when one of its verbs is used."""
