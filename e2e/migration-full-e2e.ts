import { describeMigration } from "./migration";

describeMigration("terraform");
