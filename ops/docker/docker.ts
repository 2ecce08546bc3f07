import type { Daemon } from "../../cluster/model";
import { DockerCli, type Operator } from "../../rollout/docker-cli";
import { dockerEnvironment } from "../../rollout/environment";

/**
 * Where a command runs. Like Terraform's provisioners, it ignores the operator's DOCKER_* variables. A relative folder
 * of certificates is relative to the project.
 */
export const operator = (): Operator => ({ env: dockerEnvironment(process.env), folder: process.cwd() });

/** A host's daemon, by the docker CLI. */
export const docker = ({ url, certs }: Daemon): DockerCli => DockerCli.of({ daemon: url, certs }, operator());
