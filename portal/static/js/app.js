// Loads the module of each behaviour that the page has, found by its data-attribute. Every page works without.
