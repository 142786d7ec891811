"""Shared by all tests; its being here also lets them import the modules of this folder."""
