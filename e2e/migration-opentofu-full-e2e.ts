import { describeMigration } from "./migration";

describeMigration("tofu");
