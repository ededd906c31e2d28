"""A site's settings: schema, loader and the sites that come with the product."""
