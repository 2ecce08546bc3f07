import { synthesizeApp } from "./constructs";

synthesizeApp();
