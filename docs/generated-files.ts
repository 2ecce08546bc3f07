import { apiReference } from "./api-reference";
import { architecturePicture } from "./architecture-picture";
import { clusterPicture } from "./cluster-picture";
import { commandReference } from "./command-reference";
import { recordedDashboard } from "./dashboard-picture";
import { deployPicture } from "./deploy-picture";
import { errorReference } from "./error-reference";
import { pipelinesPage } from "./pipelines-page";
import { portPicture } from "./port-picture";
import { portReference } from "./port-reference";
import { clusterReference, clusterSchemaJson } from "./reference";
import { rolloutPicture } from "./rollout-picture";
import { statusPicture } from "./status-picture";
import { variableReference } from "./variable-reference";

/** What `npm run generate` writes, by file: from the schema, the catalogue, declarations, pipelines, a recorded status and dashboard, and the article's cluster file. */
export const GENERATED_FILES: Readonly<Record<string, () => string>> = {
  "cluster/cluster.schema.json": clusterSchemaJson,
  "docs/api.md": apiReference,
  "docs/cluster-file.md": clusterReference,
  "docs/commands.md": commandReference,
  "docs/environment.md": variableReference,
  "docs/errors.md": errorReference,
  "docs/pipelines.md": pipelinesPage,
  "docs/ports.md": portReference,
  "docs/pictures/architecture.svg": architecturePicture,
  "docs/pictures/ports.svg": portPicture,
  "docs/pictures/rollout.svg": rolloutPicture,
  "docs/pictures/status.svg": statusPicture,
  "docs/pictures/dashboard.svg": recordedDashboard,
  "docs/pictures/deploy.svg": deployPicture,
  "docs/pictures/cluster.svg": clusterPicture,
};
