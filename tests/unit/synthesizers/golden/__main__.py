from tests.unit.synthesizers.golden import write

write()
