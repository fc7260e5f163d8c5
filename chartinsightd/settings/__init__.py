"""What a person can set, one module a section; `model` puts them together and `loading` reads them."""
