package io.weft.agent.status;

import io.weft.agent.link.Attachments;
import io.weft.agent.status.Status.UnregisteredPort;
import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.ClusterStats.Transport;
import io.weft.dataplane.InboundPorts.PortInfo;
import io.weft.dataplane.authorize.AccessStats.RuleStats;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Connection;
import io.weft.policy.PolicyClientStatus.Disconnected;
import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.load.InboundRefusals;
import io.weft.policy.model.Unhonoured;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/** For people. */
final class StatusText {
    private static final String LINE = "%-8s %-24s %-14s %-14s %-12s %-13s %6s %7s %10s  %s%n";

    private final StringBuilder text = new StringBuilder();
    private final Instant now;

    private StatusText(Instant now) {
        this.now = now;
    }

    /** The columns of {@link #line}. */
    static String heading() {
        return String.format(LINE, "PID", "SERVICE", "VERSION", "AGENT", "STATE", "CONTROL PLANE", "POLICY", "REFUSED", "IDENTITY", "LIBRARIES");
    }

    static String line(Status status, Instant now) {
        return String.format(LINE, status.process().pid(), status.service().isEmpty() ? "-" : status.service(),
                status.tags().getOrDefault("version", "-"), status.process().agent(),
                status.state().name().toLowerCase(Locale.ROOT), state(status.stream().connection()), status.policy().generation(),
                status.stream().refused().size(), identity(status, now), libraries(status));
    }

    /** The same for a process that does not say. */
    static String unanswered(long pid, Unanswered why, String problem) {
        return String.format(LINE, pid, "?", "?", "?", why.name().toLowerCase(Locale.ROOT).replace('_', ' '), "?", "?", "?", "?", problem);
    }

    /** Of the certificate that ends first. */
    private static String identity(Status status, Instant now) {
        return ShownIdentity.of(status.policy()).stream()
                .map(ShownIdentity::expires)
                .min(Comparator.naturalOrder())
                .map(end -> end.isAfter(now) ? age(Duration.between(now, end)) : "EXPIRED")
                .orElse("-");
    }

    private static String libraries(Status status) {
        String names = names(status, library -> library.refused() == null);
        String without = names(status, library -> library.refused() != null);
        return (names.isEmpty() ? "nothing yet" : names) + (without.isEmpty() ? "" : "; without the mesh: " + without);
    }

    private static String names(Status status, Predicate<Attachments.Status> which) {
        return String.join(", ", status.libraries().stream().filter(which).map(Attachments.Status::module).distinct().sorted().toList());
    }

    static String whole(Status status, Instant now) {
        return new StatusText(now).write(status);
    }

    private String write(Status status) {
        field("process", status.process().pid() + "  " + status.process().command());
        field("versions", "weft " + status.process().agent() + ", Java " + status.process().java());
        field("service", (status.service().isEmpty() ? "(none: it only calls)" : status.service()) + " in mesh " + status.mesh()
                + tags(status) + ", instance " + status.instance());
        field("control plane", status.controlPlane().uri() + " " + connection(status));
        field("policy", "generation " + status.policy().generation() + ": " + status.policy().listeners().size() + " listeners, "
                + status.policy().routeConfigurations().size() + " route configurations, " + status.policy().clusters().size()
                + " clusters, " + status.endpoints() + " endpoints");
        for (ShownIdentity identity : ShownIdentity.of(status.policy())) {
            field("identity", (identity.spiffeId().isEmpty() ? "(no SPIFFE ID)" : identity.spiffeId()) + " by " + identity.issuer()
                    + ", expires " + identity.expires() + " (" + identity.name() + ")");
        }
        status.stream().problem().ifPresent(problem -> field("problem", problem));
        for (PortInfo port : status.ports()) {
            field("serves", Addresses.text(port.address()) + " (" + port.library() + (port.tls() ? ", the app's own TLS" : "") + ")"
                    + (!port.draining() ? "" : status.state() == Status.State.DRAINING ? " draining" : ": nobody of the mesh calls it, since the mesh cannot be in front of it"));
        }
        for (UnregisteredPort port : status.unregistered()) {
            field("not registered", Addresses.text(port.address()) + (port.library().isEmpty() ? "" : " (" + port.library() + ")") + ": "
                    + port.reason().explanation() + (port.unguarded() ? "; OPEN TO EVERYONE, whatever policy demands" : ""));
        }
        for (Attachments.Status library : status.libraries()) {
            field("library", library.module() + (library.jar().isEmpty() ? "" : " (" + library.jar() + version(library) + ")") + " in " + library.loader()
                    + remark(library) + "; supported are " + library.supported() + (library.refused() == null ? "" : "; " + library.refused()));
        }
        refused(status);
        unhonoured(status);
        notices(status);
        clusters(status);
        refusals(status);
        accessRules(status);
        return text.toString();
    }

    /** Where the jar's name does not tell it. */
    private static String version(Attachments.Status library) {
        return library.jar().contains(library.version()) ? "" : ", version " + library.version();
    }

    private static String remark(Attachments.Status library) {
        if (library.refused() != null) {
            return ": WITHOUT THE MESH";
        }
        return library.inTestedRange() ? "" : ": version " + library.version() + " is not tested";
    }

    private static String tags(Status status) {
        return status.tags().isEmpty() ? "" : ", tags " + ClusterTags.text(status.tags());
    }

    private void field(String name, String value) {
        text.append(String.format("%-14s %s%n", name, value));
    }

    private void refused(Status status) {
        if (!status.stream().refused().isEmpty()) {
            title("Refused: what was in force before stays in force");
            for (Refusal refusal : status.stream().refused()) {
                text.append("  ").append(refusal.resource()).append(refusal.path().isEmpty() ? "" : ": " + refusal.path())
                        .append(": ").append(refusal.reason()).append(" (").append(ago(refusal.since())).append(")\n");
            }
        }
    }

    private void unhonoured(Status status) {
        if (!status.policy().unhonoured().isEmpty()) {
            title("Accepted, but without effect here");
            for (Unhonoured field : status.policy().unhonoured()) {
                text.append("  ").append(field.resource()).append(": ").append(field.path()).append('\n');
            }
        }
    }

    private void clusters(Status status) {
        if (status.clusters().isEmpty()) {
            return;
        }
        title("Clusters");
        ClusterTags tags = new ClusterTags(status.policy());
        text.append(String.format("  %-44s %7s %10s %9s %8s %8s %9s  %s%n", "", "ACTIVE", "SUCCESSES", "FAILURES", "REFUSED", "RETRIES", "OVERFLOWS", ""));
        for (ClusterStats cluster : status.clusters()) {
            text.append(String.format("  %-44s %7d %10d %9d %8d %8d %9d  %s%n", cluster.name(), cluster.active(), cluster.successes(),
                    cluster.failures(), cluster.refused(), cluster.retries(), cluster.overflows() + cluster.retryOverflows(),
                    remarks(cluster, tags.text(cluster.name()))));
            for (EndpointStats endpoint : cluster.endpoints()) {
                text.append(String.format("    %-42s %7d %10d %9d %8s %8s %9s  %s%n", Addresses.text(endpoint.address()), endpoint.active(),
                        endpoint.successes(), endpoint.failures(), "", "", "", state(endpoint)));
            }
        }
    }

    private static String remarks(ClusterStats cluster, String tags) {
        List<String> remarks = new ArrayList<>();
        if (!tags.isEmpty()) {
            remarks.add("instances with " + tags);
        }
        if (!cluster.endpoints().isEmpty()) {
            remarks.add(text(cluster.transport()));
        }
        if (cluster.withoutEndpoint() != 0) {
            remarks.add(cluster.withoutEndpoint() + " without a healthy endpoint");
        }
        if (cluster.abandoned() != 0) {
            remarks.add(cluster.abandoned() + " not mirrored or tried again because of their body");
        }
        return String.join(", ", remarks);
    }

    /** How requests travel. */
    static String text(Transport transport) {
        return switch (transport) {
            case TLS -> "mesh TLS";
            case PLAINTEXT -> "plaintext";
            case TLS_AND_PLAINTEXT -> "mesh TLS and plaintext";
            case NONE -> "no endpoint";
        };
    }

    private static String state(EndpointStats endpoint) {
        return text(endpoint.transport()) + ", " + endpoint.health().name().toLowerCase(Locale.ROOT) + ", weight " + endpoint.weight()
                + (endpoint.priority() == 0 ? "" : ", priority " + endpoint.priority())
                + (endpoint.ejected() ? ", EJECTED" : "")
                + (endpoint.ejections() == 0 ? "" : ", ejections " + endpoint.ejections());
    }

    private void notices(Status status) {
        if (!status.notices().isEmpty()) {
            title("Done otherwise than asked");
            status.notices().forEach(notice -> text.append("  ").append(notice).append('\n'));
        }
    }

    private void refusals(Status status) {
        InboundRefusals refusals = status.refusals();
        if (!refusals.equals(InboundRefusals.NONE)) {
            title("Requests that came in and were refused");
            text.append(String.format("  %d by permission, %d by rate limit, %d by an injected fault%n", refusals.permission(), refusals.rateLimit(),
                    refusals.fault()));
        }
    }

    private void accessRules(Status status) {
        if (!status.accessRules().isEmpty()) {
            title("Access rules");
            for (RuleStats rule : status.accessRules()) {
                text.append(String.format("  %-44s %10d %s%s%n", rule.filter() + " / " + rule.rule(), rule.count(),
                        rule.allows() ? "allowed" : "denied", rule.shadow() ? " (shadow: only counted)" : ""));
            }
        }
    }

    private void title(String title) {
        text.append('\n').append(title).append('\n');
    }

    private static String state(Connection connection) {
        if (connection instanceof Disconnected disconnected && disconnected.turnedAway()) {
            return "turned away";
        }
        return connection.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    private String connection(Status status) {
        Connection connection = status.stream().connection();
        if (connection instanceof Connected connected) {
            return "connected for " + age(connected.since());
        }
        if (connection instanceof Disconnected disconnected) {
            return (disconnected.turnedAway() ? "TURNED AWAY" : "DISCONNECTED") + " for " + age(disconnected.since()) + ": " + disconnected.error()
                    + (disconnected.turnedAway() ? " (" + status.controlPlane().token() + ")" : "") + "; the last policy stays in force";
        }
        return state(connection);
    }

    private String ago(Instant since) {
        return age(since) + " ago";
    }

    private String age(Instant since) {
        return age(Duration.between(since, now));
    }

    /** In the two largest units that matter. */
    private static String age(Duration age) {
        if (age.isNegative()) {
            return "0 s";
        }
        if (age.toDays() > 0) {
            return age.toDays() + " d " + age.toHoursPart() + " h";
        }
        if (age.toHours() > 0) {
            return age.toHours() + " h " + age.toMinutesPart() + " min";
        }
        return age.toMinutes() > 0 ? age.toMinutes() + " min " + age.toSecondsPart() + " s" : age.toSeconds() + " s";
    }
}
