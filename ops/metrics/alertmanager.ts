import { stringify } from "yaml";
import { EXPIRING } from "./alerts";

/**
 * An example of Alertmanager's configuration: who is told what, and what follows from something else. Its receivers are
 * programs of this machine, because services that call people need secrets.
 */
export const alertmanagerFile = (): string =>
  stringify({
    route: {
      receiver: "tickets",
      group_by: ["cluster", "alertname"],
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "4h",
      routes: [{ matchers: ['severity="page"'], receiver: "pages", repeat_interval: "1h" }],
    },
    receivers: [
      { name: "pages", webhook_configs: [{ url: "http://127.0.0.1:9095/page" }] },
      { name: "tickets", webhook_configs: [{ url: "http://127.0.0.1:9095/ticket" }] },
    ],
    inhibit_rules: [
      {
        source_matchers: ['alertname="ConsulNoLeader"'],
        target_matchers: ['alertname=~"Consul.+"', 'alertname!="ConsulNoLeader"', 'severity="ticket"'],
        equal: ["cluster"],
      },
      {
        source_matchers: ['alertname="ConsulServerDown"'],
        target_matchers: ['alertname=~"ConsulAutopilotUnhealthy|ConsulLastContact|ConsulMembersFailed"'],
        equal: ["cluster"],
      },
      // Of the same certificate: labels that neither has are equal too.
      ...EXPIRING.map((what) => ({
        source_matchers: [`alertname="${what}ExpiringSoon"`],
        target_matchers: [`alertname="${what}Expiring"`],
        equal: ["cluster", "agent", "file"],
      })),
    ],
  });
