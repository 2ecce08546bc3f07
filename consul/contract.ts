/**
 * Terraform's ids are a contract: what runs is found by them, and a changed id destroys it. They are made of names, never of positions.
 */

/** A host's stack depends on its own `group` alone, never on its neighbours: a container that moved between stacks would be made twice. */
export const stackName = (cluster: string, group: string | undefined): string =>
  group === undefined ? cluster : `${cluster}-${group}`;

/** The part of an id that stands for a further image: its reference, with what Terraform does not allow written as a hyphen. */
export const imageId = (image: string): string => image.replace(/[^a-zA-Z0-9]+/g, "-");

/** A host's registrator. Agents' names have no underscore, so that none has this id. */
export const registratorId = (host: string): string => `${host}_registrator`;
/** The part of an id that stands for a server's backups: `consul-server1_backups`. */
export const BACKUPS_ID = "backups";
/** The volume of the services and checks that an agent has been given, by its container's name. */
export const declaredVolume = (container: string): string => `${container}-declared`;

/** The output of the cluster's own stack that lists all its stacks, where there are several. */
export const STACKS_OUTPUT = "consul_stacks";
