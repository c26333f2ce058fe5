// Ids as people compare them. UUIDs of version 7 begin with the time, so their ends tell them apart.

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The end of a UUID; every other id or number as it is. */
export const shortId = (id: string) => (UUID.test(id) ? `…${id.slice(-6)}` : id)
