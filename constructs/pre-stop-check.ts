import type { Container } from "@cdktf/provider-docker/lib/container";
import { Aspects, type LocalExecProvisioner } from "cdktf";
import type { StepRequest } from "../rollout/request";
import { RolloutProgram } from "./rollout-program";

/**
 * Adds the check before Terraform stops a container. It comes before destroy-time provisioners of the stack's owner, which
 * must not run if the stop is denied.
 * @param request a function, because the request is complete only when the stack is synthesized
 */
export function addPreStopCheck(container: Container, label: string, request: () => StepRequest): void {
  const check: LocalExecProvisioner = {
    ...RolloutProgram.of(container).provisioner(label, request),
    when: "destroy",
  };
  const addFirst = () => {
    const others = container.provisioners?.filter((provisioner) => provisioner !== check) ?? [];
    container.provisioners = [check, ...others];
  };
  addFirst();
  // The owner may have set other provisioners since.
  Aspects.of(container).add({ visit: addFirst });
}
