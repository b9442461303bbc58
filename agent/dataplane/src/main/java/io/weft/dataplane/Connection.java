package io.weft.dataplane;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Function;

/** What is known of the connection over which a request came in. Immutable; one for all its requests. */
public final class Connection {

    /**
     * The peer over TLS that this mesh terminates. All is empty where the peer was not asked for a certificate.
     *
     * @param uriSans of a certificate whose chain was checked
     * @param dnsSans of the same
     * @param subject as in RFC 2253
     * @param shown the certificates themselves
     */
    public record Peer(List<String> uriSans, List<String> dnsSans, String subject, Shown shown) {
        public Peer {
            uriSans = List.copyOf(uriSans);
            dnsSans = List.copyOf(dnsSans);
        }

        /** Whose certificates nobody looks at. */
        public Peer(List<String> uriSans, List<String> dnsSans, String subject) {
            this(uriSans, dnsSans, subject, Shown.NOTHING);
        }
    }

    /**
     * What either side has shown.
     *
     * @param chain the peer's, the leaf first
     * @param ownUriSans of the certificate that was shown to the peer
     */
    public record Shown(List<X509Certificate> chain, List<String> ownUriSans) {
        static final Shown NOTHING = new Shown(List.of(), List.of());

        public Shown {
            chain = List.copyOf(chain);
            ownUriSans = List.copyOf(ownUriSans);
        }
    }

    /**
     * What a client says with the first bytes of TLS, of the mesh's or of the app's.
     *
     * @param serverName in lower case; empty without one
     * @param applicationProtocols in its order
     */
    public record Hello(String serverName, List<String> applicationProtocols) {
        public Hello {
            applicationProtocols = List.copyOf(applicationProtocols);
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
    private final Hello hello;
    private final Peer peer;
    /** The newest of all; null: nobody keeps anything. Written under the lock. */
    private volatile Kept kept;
    /** Made when first asked for; whoever comes second may make it again. */
    private Texts texts;

    /**
     * @param local resolved
     * @param remote resolved
     * @param serverName that the client asked for; empty without one
     * @param peer null: no TLS
     */
    public Connection(InetSocketAddress local, InetSocketAddress remote, String serverName, Peer peer) {
        this(local, remote, peer == null && serverName.isEmpty() ? null : new Hello(serverName, List.of()), peer);
    }

    /**
     * @param local resolved
     * @param remote resolved
     * @param hello null: no TLS at all
     * @param peer null: no TLS of this mesh
     */
    public Connection(InetSocketAddress local, InetSocketAddress remote, Hello hello, Peer peer) {
        this.local = local;
        this.remote = remote;
        this.hello = hello;
        this.peer = peer;
        localIp = IpAddress.of(local.getAddress());
        remoteIp = IpAddress.of(remote.getAddress());
    }

    /** It is within this process. */
    public boolean isOwn() {
        return this == OWN;
    }

    /** There are few of them on a connection, and every request asks for one: quicker found one after the other than in a map. */
    private record Kept(Object owner, Object what, Kept others) {}

    /** What somebody keeps; null: nothing yet. */
    public Object kept(Object owner) {
        for (Kept one = kept; one != null; one = one.others) {
            if (owner.equals(one.owner)) {
                return one.what;
            }
        }
        return null;
    }

    /** What somebody keeps for as long as the connection is there; made when first asked for. */
    public Object kept(Object owner, Function<Object, Object> make) {
        Object known = kept(owner);
        return known == null ? keep(owner, make) : known;
    }

    private synchronized Object keep(Object owner, Function<Object, Object> make) {
        Object known = kept(owner);
        if (known == null) {
            known = make.apply(owner);
            kept = new Kept(owner, known, kept);
        }
        return known;
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
        return hello == null ? "" : hello.serverName;
    }

    /** Null: no TLS. */
    public Hello hello() {
        return hello;
    }

    /** From the same address or loopback. */
    public boolean isFromSameHost() {
        return remoteIp.isLoopback() || remoteIp.equals(localIp);
    }

    /** Null: no TLS of this mesh. */
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
            serverName = orNull(connection.serverName());
            localIp = connection.localIp.toString();
            localPort = Integer.toString(connection.local.getPort());
            remoteIp = connection.remoteIp.toString();
            remotePort = Integer.toString(connection.remote.getPort());
            sourceType = connection.isFromSameHost() ? "local" : null;
        }

        private static String orNull(String text) {
            return text.isEmpty() ? null : text;
        }
    }
}
