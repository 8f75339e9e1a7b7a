"""Faker's lists of words. Few models need any: they are imported when one does, and all from here. Threads that begin
with different parts of Faker wait for each other, which Python ends with an error."""

from faker.providers.address.en_US import Provider as Address
from faker.providers.company import Provider as Company
from faker.providers.job import Provider as Job
from faker.providers.lorem.la import Provider as Latin
from faker.providers.person.en_US import Provider as Person

LISTS = {
    "first": Person.first_names,
    "last": Person.last_names,
    "state": Address.states_abbr,
    "way": Address.street_suffixes,
    "direction": Address.city_prefixes,
    "town": Address.city_suffixes,
    "form": Company.company_suffixes,
    "job": Job.jobs,
    "text": Latin.word_list,
}
