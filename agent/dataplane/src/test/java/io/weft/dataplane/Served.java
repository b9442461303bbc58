package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.snapshot;

import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteConfiguration;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;

/** A port with one HTTP filter in front of the app, on one route for everything. */
final class Served {
    final Fixture mesh;

    private Served(Fixture mesh) {
        this.mesh = mesh;
    }

    static Served with(HttpFilter filter) {
        return with(filter, FilterOverrides.NONE);
    }

    /** @param override what the route says */
    static Served with(HttpFilter filter, HttpFilter override) {
        return with(filter, new FilterOverrides(Map.of("f", new FilterOverrides.Configured(override))));
    }

    /** @param overrides what the route says */
    static Served with(HttpFilter filter, FilterOverrides overrides) {
        return new Served(Fixture.with(policy(filter, overrides)));
    }

    static Policies.SnapshotBuilder policy(HttpFilter filter, FilterOverrides overrides) {
        Route route = new Route("", any(), forward("local"), HeaderChanges.NONE, overrides);
        RouteConfiguration routes = Policies.routes(Policies.host("*", route));
        List<NamedFilter> filters = List.of(new NamedFilter("f", filter, false));
        return snapshot().listener("inbound", Listener.Kind.INBOUND, new HostPort("0.0.0.0", 8080), filters, routes);
    }

    <E extends InboundExchange> E enter(E request) {
        Inbound.Port port = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        port.enter(request);
        port.close();
        return request;
    }

    /** The status of the mesh's own answer, or 200 of the app's. */
    int serve(InboundExchange request) {
        enter(request);
        Step step = request.next();
        int status = step == Step.REPLY ? request.reply().status() : 200;
        if (step == Step.PROCEED) {
            request.onResponse(200, Fixture.NO_HEADERS);
        }
        request.end();
        return status;
    }
}
