package io.weft.dataplane.route;

import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.RouteConfiguration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Which virtual host a plaintext request belongs to, found as a proxy beside the app would have come by it:
 * <ol>
 *   <li>an API listener named like the authority, {@code host:port}, or {@code host} for port 80
 *   <li>the outbound listeners bound to a wildcard or loopback address and the request's port; a virtual host {@code *} of one
 *       on loopback is only for requests to loopback, since a proxy there would see no others
 *   <li>the outbound listeners bound to the IP address and port that the authority is, or to one of the addresses that the control
 *       plane has for it
 * </ol>
 * The first that has a virtual host for the request decides. Immutable; a lookup allocates nothing.
 */
public final class Listeners {
    private static final int DEFAULT_PORT = 80;
    private static final int DEFAULT_TLS_PORT = 443;

    private final HostTable<PortTable<VirtualHosts[]>> api;
    private final PortTable<VirtualHosts[]> wildcard;
    private final PortTable<VirtualHosts[]> loopback;
    private final HostTable<PortTable<VirtualHosts[]>> bound;
    /** Null: what nobody names is not touched. */
    private final Passthroughs outside;
    /** What the above say of the authorities that they name. */
    private final KnownAuthorities known;

    // What all that was made from.
    private final Map<String, Listener> listeners;
    private final NameTable names;
    private final List<List<VirtualHosts>> compiled;

    /** @param last of the snapshot before; null: there was none. It is kept where nothing of this has changed, as when endpoints come and go */
    public static Listeners of(PolicySnapshot snapshot, RouteCompiler compiler, Listeners last) {
        List<List<VirtualHosts>> compiled = new ArrayList<>(snapshot.listeners().size());
        for (Listener listener : snapshot.listeners().values()) {
            compiled.add(compile(listener, snapshot, compiler));
        }
        Passthroughs outside = Passthroughs.of(snapshot, last == null ? null : last.outside);
        boolean same = last != null && last.listeners == snapshot.listeners() && last.names == snapshot.names()
                && last.compiled.equals(compiled) && last.outside == outside;
        return same ? last : new Listeners(snapshot, compiled, outside);
    }

    private Listeners(PolicySnapshot snapshot, List<List<VirtualHosts>> compiled, Passthroughs outside) {
        this.outside = outside;
        this.listeners = snapshot.listeners();
        this.names = snapshot.names();
        this.compiled = compiled;
        ByHost api = new ByHost();
        ByPort wildcard = new ByPort();
        ByPort loopback = new ByPort();
        ByHost bound = new ByHost();
        Set<VirtualHosts> all = new HashSet<>();
        Iterator<List<VirtualHosts>> made = compiled.iterator();
        for (Listener listener : listeners.values()) {
            List<VirtualHosts> virtualHosts = made.next();
            if (listener.originalDestination() && listener.passthrough().isPresent()) {
                continue;
            }
            all.addAll(virtualHosts);
            String host = listener.address().host();
            int port = listener.address().port();
            switch (listener.kind()) {
                case API -> {
                    int portStart = Authority.portStart(listener.name());
                    String name = portStart < 0 ? listener.name() : listener.name().substring(0, portStart);
                    api.put(name, Authority.port(listener.name(), portStart, DEFAULT_PORT), virtualHosts);
                }
                case OUTBOUND -> {
                    if (host.equals("0.0.0.0") || host.equals("::")) {
                        wildcard.put(port, virtualHosts);
                    } else if (isLoopback(host, 0, host.length())) {
                        loopback.put(port, virtualHosts);
                    }
                    bound.put(host.indexOf(':') < 0 ? host : "[" + host + "]", port, virtualHosts);
                }
                case INBOUND -> { }
            }
        }
        names.hosts().forEach((name, host) -> bound.name(name, host.addresses()));
        this.api = api.build();
        this.wildcard = wildcard.build();
        this.loopback = loopback.build();
        this.bound = bound.build();
        Set<String> authorities = new HashSet<>();
        all.forEach(virtualHosts -> virtualHosts.addHostsTo(authorities));
        known = new KnownAuthorities(authorities, this::search);
    }

    /** Whether anything is said of destinations that no policy names. */
    public boolean guardsOutside() {
        return outside != null;
    }

    /**
     * Whether policy keeps the app from calling a destination outside of the mesh. What is on this machine never leaves it, and so is
     * never in question.
     *
     * @param tls whether the app speaks TLS to it
     * @param authority {@code host[:port]}
     */
    public boolean refuse(boolean tls, String authority) {
        if (outside == null) {
            return false;
        }
        int portStart = Authority.portStart(authority);
        int hostEnd = portStart < 0 ? authority.length() : portStart;
        int port = Authority.port(authority, portStart, tls ? DEFAULT_TLS_PORT : DEFAULT_PORT);
        if (isLoopback(authority, 0, hostEnd) || !tls && find(authority) != null) {
            return false;
        }
        PortTable<VirtualHosts[]> ofTheMesh = bound.find(HostTable.hash(authority, 0, hostEnd), authority, 0, hostEnd);
        boolean listens = ofTheMesh != null && ofTheMesh.find(port) != null;
        return !listens && !outside.permits(tls, authority, hostEnd, port);
    }

    private static List<VirtualHosts> compile(Listener listener, PolicySnapshot snapshot, RouteCompiler compiler) {
        List<VirtualHosts> compiled = new ArrayList<>(1);
        if (listener.kind() == Listener.Kind.INBOUND) {
            return compiled;
        }
        int index = 0;
        for (FilterChain chain : listener.filterChains()) {
            String key;
            RouteConfiguration configuration;
            if (chain.http().routes() instanceof Named named) {
                // Filters count for each listener by itself.
                String user = chain.http().filters().isEmpty() ? " " + chain.http().limits() : " " + index + " " + listener.name();
                key = "named " + named.routeConfigName() + user;
                configuration = snapshot.routeConfigurations().get(named.routeConfigName());
            } else {
                key = "inline " + index + " " + listener.name();
                configuration = ((Inline) chain.http().routes()).configuration();
            }
            if (configuration != null) {
                compiled.add(compiler.compile(key, configuration, chain.http(), RouteCompiler.Side.OUTBOUND));
            }
            index++;
        }
        return compiled;
    }

    /**
     * @param authority {@code host[:port]}
     * @return null: no policy names the destination
     */
    public Routes find(String authority) {
        Routes routes = known.find(authority);
        return routes == null ? search(authority) : routes;
    }

    private Routes search(String authority) {
        int portStart = Authority.portStart(authority);
        int port = Authority.port(authority, portStart, DEFAULT_PORT);
        if (port < 0) {
            return null;
        }
        int hostEnd = portStart < 0 ? authority.length() : portStart;
        int hash = HostTable.hash(authority, 0, hostEnd);
        Routes routes = find(at(api.find(hash, authority, 0, hostEnd), port), authority, portStart, hash, true);
        if (routes == null) {
            routes = find(wildcard.find(port), authority, portStart, hash, true);
        }
        if (routes == null) {
            VirtualHosts[] onLoopback = loopback.find(port);
            routes = onLoopback == null
                    ? null
                    : find(onLoopback, authority, portStart, hash, isLoopback(authority, 0, hostEnd));
        }
        return routes == null
                ? find(at(bound.find(hash, authority, 0, hostEnd), port), authority, portStart, hash, true)
                : routes;
    }

    private static VirtualHosts[] at(PortTable<VirtualHosts[]> ports, int port) {
        return ports == null ? null : ports.find(port);
    }

    private static Routes find(VirtualHosts[] candidates, String authority, int portStart, int hostHash, boolean withAny) {
        if (candidates != null) {
            for (int i = 0; i < candidates.length; i++) {
                Routes routes = candidates[i].find(authority, portStart, hostHash, withAny);
                if (routes != null) {
                    return routes;
                }
            }
        }
        return null;
    }

    private static boolean isLoopback(String text, int from, int to) {
        return text.startsWith("127.", from) && isIpv4(text, from, to)
                || is(text, from, to, "localhost")
                || is(text, from, to, "[::1]")
                || is(text, from, to, "::1");
    }

    private static boolean isIpv4(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c != '.' && (c < '0' || c > '9')) {
                return false;
            }
        }
        return true;
    }

    private static boolean is(String text, int from, int to, String name) {
        return to - from == name.length() && text.regionMatches(true, from, name, 0, name.length());
    }

    /** Listeners of the same port in the order of their names' arrival. */
    private static final class ByPort {
        private final Map<Integer, List<VirtualHosts>> byPort = new HashMap<>();

        void put(int port, List<VirtualHosts> virtualHosts) {
            byPort.computeIfAbsent(port, absent -> new ArrayList<>(1)).addAll(virtualHosts);
        }

        PortTable<VirtualHosts[]> build() {
            Map<Integer, VirtualHosts[]> table = new HashMap<>();
            byPort.forEach((port, virtualHosts) -> table.put(port, virtualHosts.toArray(new VirtualHosts[0])));
            return new PortTable<>(table);
        }
    }

    private static final class ByHost {
        private final Map<String, ByPort> byHost = new HashMap<>();

        void put(String host, int port, List<VirtualHosts> virtualHosts) {
            byHost.computeIfAbsent(host.toLowerCase(Locale.ROOT), absent -> new ByPort()).put(port, virtualHosts);
        }

        /** What is bound to any of the addresses is for that name, too. */
        void name(String name, List<String> addresses) {
            for (String address : addresses) {
                ByPort at = byHost.get(address.indexOf(':') < 0 ? address : "[" + address + "]");
                if (at != null && !name.equals(address)) {
                    at.byPort.forEach((port, virtualHosts) -> put(name, port, virtualHosts));
                }
            }
        }

        HostTable<PortTable<VirtualHosts[]>> build() {
            HostTable.Builder<PortTable<VirtualHosts[]>> table = new HostTable.Builder<>();
            byHost.forEach((host, ports) -> table.put(host, ports.build()));
            return table.build();
        }
    }
}
