package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.it.comparison.Case.Way;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.List;

/** Faults that delay a request, on its way out and in front of the app: whose, whether before an abort, and whether for long. */
final class DelayArea implements Area {
    private static final int DELAY_MILLIS = 1_000;

    @Override
    public String name() {
        return "delays";
    }

    @Override
    public String summary() {
        return "faults that delay requests, with and without an abort";
    }

    @Override
    public int share() {
        return 1;
    }

    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public Case draw(Draw draw) {
        Way way = draw.oneOf(Way.values());
        VirtualHost.Builder host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(way == Way.OUT ? Case.HOST + ":" + Case.PORT : Case.HOST);
        List<String> paths = List.of("/a", "/b", "/");
        for (String path : paths) {
            Route.Builder route = Route.newBuilder()
                    .setMatch(RouteMatch.newBuilder().setPrefix(path))
                    .setRoute(RouteAction.newBuilder().setCluster(way == Way.OUT ? draw.oneOf(Clusters.FIXED) : Clusters.APP));
            if (draw.chance(70)) {
                route.putTypedPerFilterConfig(FilterArea.FAULT, Any.pack(fault(draw, way)));
            }
            host.addRoutes(route);
        }
        if (draw.chance(50)) {
            host.putTypedPerFilterConfig(FilterArea.FAULT, Any.pack(fault(draw, way)));
        }
        return new Case(
                name(),
                way == Way.OUT ? FilterArea.MANAGER : HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(),
                draw.several(3, 5, () -> request(draw, paths)),
                Judgement.DELAYS,
                Case.Conduct.through(way));
    }

    private static HTTPFault fault(Draw draw, Way way) {
        HTTPFault.Builder fault = HTTPFault.newBuilder();
        FaultDelay.Builder delay = FaultDelay.newBuilder().setPercentage(FilterArea.percent(draw));
        if (draw.chance(50)) {
            delay.setFixedDelay(Durations.fromMillis(DELAY_MILLIS));
        } else {
            delay.setHeaderDelay(FaultDelay.HeaderDelay.getDefaultInstance());
        }
        fault.setDelay(delay);
        if (draw.chance(30)) {
            fault.setAbort(FaultAbort.newBuilder().setHttpStatus(draw.oneOf(400, 503)).setPercentage(FilterArea.percent(draw)));
        }
        if (draw.chance(30)) {
            fault.addHeaders(Vocabulary.headerMatcher(draw));
        }
        if (draw.chance(15)) {
            fault.setUpstreamCluster(way == Way.OUT ? draw.oneOf(Clusters.FIXED) : Clusters.APP);
        }
        return fault.build();
    }

    private static Request request(Draw draw, List<String> paths) {
        List<String> headers = new ArrayList<>(Vocabulary.headers(draw));
        if (draw.chance(60)) {
            headers.add("x-envoy-fault-delay-request: " + draw.oneOf(Integer.toString(DELAY_MILLIS), "0", "soon"));
        }
        if (draw.chance(30)) {
            headers.add("x-envoy-fault-delay-request-percentage: " + draw.oneOf("0", "100", "200", "some"));
        }
        return new Request(Client.draw(draw), "GET", Case.HOST, draw.oneOf(paths), headers, "", "200");
    }
}
