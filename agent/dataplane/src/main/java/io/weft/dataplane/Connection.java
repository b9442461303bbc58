package io.weft.dataplane;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** What is known of the connection over which a request came in. Immutable; one for all its requests. */
public final class Connection {

    /**
     * The peer over TLS that this mesh terminates. All is empty where the peer was not asked for a certificate.
     *
     * @param uriSans of a certificate whose chain was checked
     * @param dnsSans of the same
     * @param subject as in RFC 2253
     */
    public record Peer(List<String> uriSans, List<String> dnsSans, String subject) {
        public Peer {
            uriSans = List.copyOf(uriSans);
            dnsSans = List.copyOf(dnsSans);
        }
    }

    /** Of a request that the app sends: from itself to the mesh in it. */
    static final Connection OWN = new Connection(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            "",
            null);

    private final InetSocketAddress local;
    private final InetSocketAddress remote;
    private final IpAddress localIp;
    private final IpAddress remoteIp;
    private final String serverName;
    private final Peer peer;
    /** Null: nobody keeps anything. */
    private volatile Map<Object, Object> kept;
    /** Made when first asked for; whoever comes second may make it again. */
    private Texts texts;

    /**
     * @param local resolved
     * @param remote resolved
     * @param serverName that the client asked for; empty without one
     * @param peer null: no TLS
     */
    public Connection(InetSocketAddress local, InetSocketAddress remote, String serverName, Peer peer) {
        this.local = local;
        this.remote = remote;
        this.serverName = serverName;
        this.peer = peer;
        localIp = IpAddress.of(local.getAddress());
        remoteIp = IpAddress.of(remote.getAddress());
    }

    /** It is within this process. */
    public boolean isOwn() {
        return this == OWN;
    }

    /** What somebody keeps for as long as the connection is there; made when first asked for. */
    public Object kept(Object owner, Function<Object, Object> make) {
        Map<Object, Object> all = kept;
        return all == null ? keeping().computeIfAbsent(owner, make) : all.computeIfAbsent(owner, make);
    }

    private synchronized Map<Object, Object> keeping() {
        if (kept == null) {
            kept = new ConcurrentHashMap<>();
        }
        return kept;
    }

    /** Resolved. */
    public InetSocketAddress local() {
        return local;
    }

    /** Resolved. */
    public InetSocketAddress remote() {
        return remote;
    }

    public IpAddress localIp() {
        return localIp;
    }

    public IpAddress remoteIp() {
        return remoteIp;
    }

    public int localPort() {
        return local.getPort();
    }

    public int remotePort() {
        return remote.getPort();
    }

    /** Empty without one. */
    public String serverName() {
        return serverName;
    }

    /** Null: no TLS. */
    public Peer peer() {
        return peer;
    }

    /** The same as text; null for what there is not. */
    public Texts texts() {
        Texts known = texts;
        if (known == null) {
            known = new Texts(this);
            texts = known;
        }
        return known;
    }

    /** Final fields, so that it may be handed on without a barrier. */
    public static final class Texts {
        public final String uriSans;
        public final String dnsSans;
        public final String subject;
        public final String serverName;
        public final String localIp;
        public final String localPort;
        public final String remoteIp;
        public final String remotePort;
        /** {@code local} from the same address or loopback, null otherwise. */
        public final String sourceType;

        private Texts(Connection connection) {
            Peer peer = connection.peer;
            uriSans = peer == null ? null : orNull(String.join(",", peer.uriSans));
            dnsSans = peer == null ? null : orNull(String.join(",", peer.dnsSans));
            subject = peer == null ? null : orNull(peer.subject);
            serverName = orNull(connection.serverName);
            localIp = connection.localIp.toString();
            localPort = Integer.toString(connection.local.getPort());
            remoteIp = connection.remoteIp.toString();
            remotePort = Integer.toString(connection.remote.getPort());
            boolean local = connection.remoteIp.isLoopback() || connection.remoteIp.equals(connection.localIp);
            sourceType = local ? "local" : null;
        }

        private static String orNull(String text) {
            return text.isEmpty() ? null : text;
        }
    }
}
