package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.snapshot;

import io.weft.dataplane.Inbound.Port;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.JwtAuthentication.OfProvider;
import io.weft.policy.model.JwtAuthentication.Provider;
import io.weft.policy.model.JwtAuthentication.Rule;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Route;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** An app behind JWT authentication, for tests of other packages. */
public final class Fixtures {
    private Fixtures() {}

    public static App app(JwtAuthentication jwt) {
        return app(jwt, FilterOverrides.NONE);
    }

    /** Its route asks for the requirement of this name. */
    public static App app(JwtAuthentication jwt, String requirement) {
        return app(jwt, new FilterOverrides(Map.of(
                "jwt", new FilterOverrides.Configured(new HttpFilter.TokenRequirementOfRoute(requirement)))));
    }

    /** Access control comes after the token. */
    public static App app(JwtAuthentication jwt, Rbac rbac) {
        return app(FilterOverrides.NONE, List.of(
                new NamedFilter("jwt", new HttpFilter.TokenAuthentication(jwt), false),
                new NamedFilter("rbac", new HttpFilter.AccessControl(rbac), false)));
    }

    /** Where faults are no surprise. */
    public static App faulty(Provider provider) {
        Rule all = new Rule(any(), new OfProvider("a", List.of()));
        return app(new JwtAuthentication(Map.of("a", provider), List.of(all), Map.of(), false, false), FilterOverrides.NONE);
    }

    private static App app(JwtAuthentication jwt, FilterOverrides overrides) {
        return app(overrides, List.of(new NamedFilter("jwt", new HttpFilter.TokenAuthentication(jwt), false)));
    }

    private static App app(FilterOverrides overrides, List<NamedFilter> filters) {
        App app = new App();
        Route route = new Route("", any(), forward("local"), HeaderChanges.NONE, overrides);
        app.fixture.apply(snapshot()
                .listener(
                        "inbound",
                        Listener.Kind.INBOUND,
                        new HostPort("10.0.0.1", 8080),
                        filters,
                        Policies.routes(Policies.host("*", route)))
                .cluster("idp", 1001));
        return app;
    }

    public static final class App {
        private final List<String> faults = new ArrayList<>();
        private final List<String> fetches = new ArrayList<>();
        private final Fixture fixture = new Fixture((where, fault) -> faults.add(where));
        private Consumer<String> fetching;

        private App() {
            fixture.dataPlane.requestsBy((endpoint, authority, path, timeoutNanos, onBody) -> {
                fetches.add("GET http://" + authority + path + " from " + endpoint.address().getHostString() + ":" + endpoint.address().getPort());
                fetching = onBody;
            });
        }

        public Incoming enter(Incoming request) {
            Port port = fixture.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
            port.enter(request);
            port.close();
            return request;
        }

        public SimulatedTime time() {
            return fixture.time;
        }

        public List<String> faults() {
            return faults;
        }

        /** The requests that the agent made for keys. */
        public List<String> fetches() {
            return fetches;
        }

        /** @param body null: the fetch failed */
        public void answer(String body) {
            fetching.accept(body);
        }
    }
}
