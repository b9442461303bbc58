package io.weft.controlplane.load;

import com.google.protobuf.Duration;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterStats;
import io.envoyproxy.envoy.config.endpoint.v3.EndpointLoadMetricStats;
import io.envoyproxy.envoy.config.endpoint.v3.UpstreamEndpointStats;
import io.envoyproxy.envoy.config.endpoint.v3.UpstreamLocalityStats;
import io.envoyproxy.envoy.service.load_stats.v3.LoadReportingServiceGrpc.LoadReportingServiceImplBase;
import io.envoyproxy.envoy.service.load_stats.v3.LoadStatsRequest;
import io.envoyproxy.envoy.service.load_stats.v3.LoadStatsResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.port.Connection;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.TurnedAwayLog;
import io.weft.controlplane.token.Bearer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * Envoy's load reporting service: whoever would get policies may report. Asks for all clusters, each endpoint by itself. Of agents come
 * latencies, too, as buckets in metrics named {@code weft.latency_ms{le="250",version="v2"}}, how many responses were refusals, other
 * client errors or failed calls, as {@code weft.answers_refused}, {@code weft.answers_4xx} and {@code weft.answers_5xx}, and what they have themselves refused of what came in, as {@code
 * weft.refused{by="permission"}} of the cluster {@code weft.inbound}; a stock Envoy reports none of it. Thread-safe.
 *
 * <p>What is reported is believed, since nobody else can say it, but only of clusters, endpoints and versions that there are.
 */
public final class LoadReportService extends LoadReportingServiceImplBase {

    private static final TurnedAwayLog TURNED_AWAY = new TurnedAwayLog(LoggerFactory.getLogger(LoadReportService.class)::warn);
    private static final Pattern LATENCY =
            Pattern.compile("weft\\.latency_ms\\{le=\"([0-9.]{1,20}|inf)\"(?:,version=\"([^\"]{1,200})\")?}");
    private static final Pattern ANSWERS = Pattern.compile("weft\\.answers_(refused|4xx|5xx)(?:\\{version=\"([^\"]{1,200})\"})?");
    private static final String INBOUND = "weft.inbound";
    /** Of one endpoint in one report: more are nobody's, and what is above 2^63 would be less than none. */
    private static final long MAX_REQUESTS = 10_000_000;
    private static final String SECURED = "weft.mtls";
    private static final String EJECTED = "weft.ejected";

    private static final LoadStatsResponse ALL = LoadStatsResponse.newBuilder()
            .setSendAllClusters(true)
            .setReportEndpointGranularity(true)
            .setLoadReportingInterval(Duration.newBuilder().setSeconds(LoadWindow.STEP.toSeconds()))
            .build();

    private final NodeReader nodes;
    private final Admission admission;
    private final Function<String, Destinations> destinations;
    private final LoadWindow window;
    private final ScheduledExecutorService scheduler;
    private final java.time.Duration firstReport;

    /**
     * @param destinations what the names in the reports of a mesh stand for now
     * @param firstReport how long a stream stays on which nobody has said who reports
     */
    public LoadReportService(
            NodeReader nodes,
            Admission admission,
            Function<String, Destinations> destinations,
            LoadWindow window,
            ScheduledExecutorService scheduler,
            java.time.Duration firstReport) {
        this.nodes = nodes;
        this.admission = admission;
        this.destinations = destinations;
        this.window = window;
        this.scheduler = scheduler;
        this.firstReport = firstReport;
    }

    @Override
    public StreamObserver<LoadStatsRequest> streamLoadStats(StreamObserver<LoadStatsResponse> responses) {
        return new Reports(Bearer.current(), Connection.current(), responses);
    }

    /** Of one node. Thread-safe, as it may end while nothing comes. */
    private final class Reports implements StreamObserver<LoadStatsRequest> {
        private final Bearer bearer;
        private final Connection connection;
        private final StreamObserver<LoadStatsResponse> responses;
        private final Future<?> expiry;
        /** Guarded by this, as what follows. */
        private ClientNode node;
        private boolean over;

        Reports(Bearer bearer, Connection connection, StreamObserver<LoadStatsResponse> responses) {
            this.bearer = bearer;
            this.connection = connection;
            this.responses = responses;
            expiry = scheduler.schedule(this::expire, firstReport.toMillis(), TimeUnit.MILLISECONDS);
        }

        private synchronized void expire() {
            if (node == null && !over) {
                refuse(Status.DEADLINE_EXCEEDED.withDescription("no report came within " + firstReport.toSeconds()
                        + " s; a reporter says at once who it is"));
            }
        }

        @Override
        public synchronized void onNext(LoadStatsRequest request) {
            if (over) {
                return;
            }
            try {
                if (node == null) {
                    node = admission.admit(bearer, request.getNode(), nodes);
                    connection.admitted(bearer);
                    expiry.cancel(false);
                    responses.onNext(ALL);
                } else {
                    // A token may have been revoked since.
                    admission.admit(bearer, node);
                }
            } catch (NodeReader.InvalidNodeException e) {
                refuse(Status.INVALID_ARGUMENT.withDescription(e.getMessage()));
                return;
            } catch (Admission.RefusedException e) {
                refuse(e.status());
                return;
            }
            Destinations known = destinations.apply(node.mesh());
            request.getClusterStatsList().forEach(cluster -> take(cluster, known));
        }

        private void refuse(Status status) {
            TURNED_AWAY.say("load reports are refused: " + status.getDescription());
            over = true;
            responses.onError(status.asRuntimeException());
        }

        private void take(ClusterStats stats, Destinations known) {
            if (stats.getClusterName().equals(INBOUND)) {
                takeRefusals(stats, known);
                return;
            }
            Destinations.Cluster cluster = known.clusters().get(stats.getClusterName());
            if (cluster == null) {
                // Of the node itself, or of a policy that is no longer in force.
                return;
            }
            Map<String, Load> versions = new HashMap<>();
            for (UpstreamLocalityStats locality : stats.getUpstreamLocalityStatsList()) {
                for (UpstreamEndpointStats endpoint : locality.getUpstreamEndpointStatsList()) {
                    SocketAddress socket = endpoint.getAddress().getSocketAddress();
                    String address = address(socket);
                    boolean secured = has(endpoint.getLoadMetricStatsList(), SECURED);
                    Load load = Load.of(requests(endpoint.getTotalSuccessfulRequests()), requests(endpoint.getTotalErrorRequests()),
                            requests(endpoint.getTotalRequestsInProgress()), secured);
                    // One that is gone by now was called nevertheless.
                    String version = cluster.version().orElse(known.endpoints().getOrDefault(address, ""));
                    versions.merge(version, load, Load::plus);
                    if (known.endpoints().containsKey(address)) {
                        window.add(node.mesh(), address, new LoadWindow.Reporter(node.workload().shown(), node.id()), load,
                                has(endpoint.getLoadMetricStatsList(), EJECTED));
                    }
                }
                if (locality.getUpstreamEndpointStatsCount() == 0) {
                    versions.merge(
                            cluster.version().orElse(""),
                            Load.of(requests(locality.getTotalSuccessfulRequests()), requests(locality.getTotalErrorRequests()),
                                    requests(locality.getTotalRequestsInProgress()), false),
                            Load::plus);
                }
                for (EndpointLoadMetricStats metric : locality.getLoadMetricStatsList()) {
                    long requests = requests(metric.getNumRequestsFinishedWithMetric());
                    Matcher latency = LATENCY.matcher(metric.getMetricName());
                    Matcher answers = ANSWERS.matcher(metric.getMetricName());
                    String said;
                    Load load;
                    if (latency.matches()) {
                        said = latency.group(2);
                        load = Load.took(bound(latency.group(1)), requests);
                    } else if (answers.matches()) {
                        said = answers.group(2);
                        load = switch (answers.group(1)) {
                            case "5xx" -> Load.answered(requests, 0, 0);
                            case "4xx" -> Load.answered(0, requests, 0);
                            default -> Load.answered(0, 0, requests);
                        };
                    } else {
                        continue;
                    }
                    if (cluster.version().isPresent() || said == null || known.versions().contains(said)) {
                        versions.merge(cluster.version().orElse(said == null ? "" : said), load, Load::plus);
                    }
                }
            }
            if (stats.getTotalDroppedRequests() != 0) {
                versions.merge(cluster.version().orElse(""), Load.dropped(requests(stats.getTotalDroppedRequests())), Load::plus);
            }
            versions.forEach((version, load) ->
                    window.add(new Edge(node.mesh(), node.workload().shown(), cluster.service(), version), load));
        }

        /** What the node itself has refused of the requests that came in. */
        private void takeRefusals(ClusterStats stats, Destinations known) {
            String service = node.workload().shown();
            String version = node.tags().stream().map(tags -> tags.getOrDefault(Labels.VERSION, "")).findFirst().orElse("");
            if (service.isEmpty() || !version.isEmpty() && !known.versions().contains(version)) {
                return;
            }
            Refusals refusals = Refusals.NONE;
            for (UpstreamLocalityStats locality : stats.getUpstreamLocalityStatsList()) {
                for (EndpointLoadMetricStats metric : locality.getLoadMetricStatsList()) {
                    long requests = requests(metric.getNumRequestsFinishedWithMetric());
                    refusals = refusals.plus(switch (metric.getMetricName()) {
                        case "weft.refused{by=\"permission\"}" -> new Refusals(requests, 0, 0);
                        case "weft.refused{by=\"rate-limit\"}" -> new Refusals(0, requests, 0);
                        case "weft.refused{by=\"fault\"}" -> new Refusals(0, 0, requests);
                        default -> Refusals.NONE;
                    });
                }
            }
            if (!refusals.equals(Refusals.NONE)) {
                window.add(new Called(node.mesh(), service, version), refusals);
            }
        }

        @Override
        public synchronized void onError(Throwable error) {
            over = true;
            expiry.cancel(false);
        }

        @Override
        public synchronized void onCompleted() {
            if (!over) {
                over = true;
                expiry.cancel(false);
                responses.onCompleted();
            }
        }
    }

    /** @param said unsigned, so that a negative one is above all sense */
    private static long requests(long said) {
        return Math.max(0, Math.min(said, MAX_REQUESTS));
    }

    private static String address(SocketAddress address) {
        String host = address.getAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPortValue();
    }

    private static boolean has(List<EndpointLoadMetricStats> metrics, String name) {
        return metrics.stream().anyMatch(metric -> metric.getMetricName().equals(name));
    }

    private static double bound(String text) {
        try {
            return text.equals("inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(text);
        } catch (NumberFormatException e) {
            // Somebody else's idea of the name: counted as slow, so that it is seen.
            return Double.POSITIVE_INFINITY;
        }
    }
}
