package io.weft.controlplane.xds;

import io.envoyproxy.controlplane.cache.ConfigWatcher;
import io.envoyproxy.controlplane.cache.DeltaResponse;
import io.envoyproxy.controlplane.cache.DeltaWatch;
import io.envoyproxy.controlplane.cache.DeltaXdsRequest;
import io.envoyproxy.controlplane.cache.Response;
import io.envoyproxy.controlplane.cache.Watch;
import io.envoyproxy.controlplane.cache.XdsRequest;
import io.envoyproxy.controlplane.server.DiscoveryServerCallbacks;
import io.envoyproxy.controlplane.server.exception.RequestException;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.Status;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.port.Connection;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.Registry.StreamId;
import io.weft.controlplane.registry.TurnedAwayLog;
import io.weft.controlplane.token.Bearer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One ADS stream: decides what its reader is told, and when. Of a stream of the state of the world java-control-plane does the protocol
 * (nonces, framing); its own cache is not used, because it removes a cluster before the routes that lead to it. An incremental one is read
 * here: java-control-plane neither honours {@code initial_resource_versions} nor tells of what was removed meanwhile, knows no virtual
 * hosts, and keeps a list of all resources for each stream.
 *
 * <p>A change is made before it is broken: new clusters and their endpoints first, then listeners and routes, and what these
 * no longer need only after they were accepted. A reader that asks for endpoints, but not for those of a new cluster, is not
 * waited for longer than {@link #MAKE_TIMEOUT}.
 *
 * <p>Thread-safe; everything is guarded by this object's lock.
 */
final class NodeStream implements ConfigWatcher, DiscoveryServerCallbacks {

    private static final Logger LOG = LoggerFactory.getLogger(NodeStream.class);
    private static final TurnedAwayLog TURNED_AWAY = new TurnedAwayLog(LOG::warn);

    private static final Duration MAKE_TIMEOUT = Duration.ofSeconds(1);
    /** Of one type. Each is kept, whether there is such a thing or not. */
    private static final int MAX_NAMES = 200_000;
    /** Among a node's {@code client_features}: it takes {@code RouteConfiguration.vhds} over this stream. */
    private static final String VIRTUAL_HOSTS = "io.weft.virtual-hosts";

    private final StreamId id;
    private final Bearer bearer;
    private final Connection connection;
    private final Consumer<Status> abort;
    private final Consumer<DeltaDiscoveryResponse> increments;
    private final StreamEvents events;
    private final Pushes pushes;
    private final ScheduledExecutorService scheduler;
    private final Runnable flushLater = this::flushLater;
    private final Map<ResourceType, Subscription> subscriptions = new EnumMap<>(ResourceType.class);
    /** Clusters and endpoints that the reader's routes may still lead to. */
    private final Map<ResourceType, Map<String, Versioned>> retained = new EnumMap<>(ResourceType.class);
    private NodeConfig target;
    private Node lastNode = Node.getDefaultInstance();
    private ClientNode node;
    /** Clusters that routes have to wait for. */
    private Set<String> awaited = Set.of();
    private long awaitedUntil;
    /** Those of its inbounds that take mesh TLS. */
    private Set<ClientNode.Address> secured = Set.of();
    private boolean ended;
    /** Null: nobody is waited for. */
    private Future<?> expiry;

    /** What the owner of all streams hears; called with the stream's lock held. */
    interface StreamEvents {

        /** The reader said who it is, for the first time or anew. */
        ClientNode identified(NodeStream stream, Node node)
                throws NodeReader.InvalidNodeException, Admission.RefusedException;

        /** These inbounds of the reader take mesh TLS from now on, and no others. */
        void secured(NodeStream stream, Set<ClientNode.Address> secured);

        /** The stream is over. */
        void ended(NodeStream stream, boolean inGoodOrder);
    }

    /**
     * @param bearer whoever opened it
     * @param connection over which it came
     * @param abort ends the stream with a status
     * @param increments where responses go if it is incremental
     */
    NodeStream(
            StreamId id,
            Bearer bearer,
            Connection connection,
            Consumer<Status> abort,
            Consumer<DeltaDiscoveryResponse> increments,
            StreamEvents events,
            Pushes pushes,
            ScheduledExecutorService scheduler) {
        this.id = id;
        this.bearer = bearer;
        this.connection = connection;
        this.abort = abort;
        this.increments = increments;
        this.events = events;
        this.pushes = pushes;
        this.scheduler = scheduler;
    }

    StreamId id() {
        return id;
    }

    Bearer bearer() {
        return bearer;
    }

    Connection connection() {
        return connection;
    }

    /** Ends it if by then nobody has said on it who it is. */
    synchronized void expectWithin(Duration time) {
        expiry = scheduler.schedule(() -> expire(time), time.toMillis(), TimeUnit.MILLISECONDS);
    }

    private synchronized void expire(Duration time) {
        if (node == null) {
            turnAway(Status.DEADLINE_EXCEEDED.withDescription("no request came within " + time.toSeconds()
                    + " s; the first request of a stream says at once who it is, by its node"));
        }
    }

    /** Ends it: what its reader has been told is no longer for it. */
    synchronized void turnAway(Status status) {
        if (!ended) {
            TURNED_AWAY.say((node == null ? "a data plane" : node.id()) + " is turned away: " + status.getDescription());
            abort.accept(status);
            end(false);
        }
    }

    /** Empty until the first request. */
    synchronized Optional<ClientNode> node() {
        return Optional.ofNullable(node);
    }

    /** Whether its reader takes virtual hosts one by one; there is no way to tell it that on a stream of the state of the world. */
    synchronized boolean takesVirtualHosts() {
        return lastNode.getClientFeaturesList().contains(VIRTUAL_HOSTS);
    }

    /** Empty until the first request. */
    synchronized Optional<AdsServer.Connected> connected() {
        return node().map(known -> new AdsServer.Connected(known, ClientBuild.of(lastNode), current(), rejections()));
    }

    private boolean current() {
        return target != null && subscriptions.keySet().stream().allMatch(this::accepted);
    }

    private Map<String, String> rejections() {
        Map<String, String> rejections = new HashMap<>();
        subscriptions.forEach((type, subscription) ->
                subscription.refusal().ifPresent(refusal -> rejections.put(type.typeUrl(), refusal)));
        return rejections;
    }

    /** Resources of one type as this reader should have them now. */
    final class View implements NodeConfig.Resources {

        private final NodeConfig.Layers layers;
        private final Map<String, Versioned> kept;

        private View(ResourceType type) {
            layers = target.of(type);
            kept = retained.getOrDefault(type, Map.of());
        }

        @Override
        public Versioned get(String name) {
            Versioned resource = layers.get(name);
            return resource == null ? kept.get(name) : resource;
        }

        @Override
        public void forEach(Consumer<Versioned> consumer) {
            layers.forEach(consumer);
            kept.values().forEach(consumer);
        }

        String version() {
            return layers.shared().version() + layers.own().version();
        }

        /** What this shows, if it is no more than these; else null. */
        NodeConfig.Layers all() {
            return kept.isEmpty() ? layers : null;
        }

        /** @param known null: not */
        boolean isAllOf(NodeConfig.Layers known) {
            return known != null && kept.isEmpty() && layers.sameAs(known);
        }
    }

    /** The reader is to have this from now on. */
    synchronized void publish(NodeConfig next) {
        if (ended) {
            return;
        }
        NodeConfig previous = target;
        target = next;
        if (previous != null) {
            if (same(previous, next)) {
                return;
            }
            retain(ResourceType.CLUSTER, previous, next);
            retain(ResourceType.ENDPOINT, previous, next);
            await(previous, next);
        }
        if (pushes.hasRoom(flushLater)) {
            flush();
        }
    }

    private static boolean same(NodeConfig a, NodeConfig b) {
        for (ResourceType type : ResourceType.values()) {
            if (!a.of(type).sameAs(b.of(type))) {
                return false;
            }
        }
        return a.secured().equals(b.secured());
    }

    private void retain(ResourceType type, NodeConfig previous, NodeConfig next) {
        if (!subscriptions.containsKey(ResourceType.LISTENER) && !subscriptions.containsKey(ResourceType.ROUTE)) {
            return;
        }
        NodeConfig.Layers old = previous.of(type);
        NodeConfig.Layers now = next.of(type);
        Map<String, Versioned> kept = retained.computeIfAbsent(type, key -> new HashMap<>());
        removed(old, now).forEach(name -> kept.put(name, old.get(name)));
        kept.keySet().removeIf(name -> now.get(name) != null);
        if (kept.isEmpty()) {
            retained.remove(type);
        }
    }

    private static List<String> removed(NodeConfig.Layers old, NodeConfig.Layers now) {
        List<String> shared = now.shared().since(old.shared()).removed();
        List<String> own = now.own().since(old.own()).removed();
        return Stream.concat(shared.stream(), own.stream()).toList();
    }

    private void await(NodeConfig previous, NodeConfig next) {
        Table old = previous.of(ResourceType.ENDPOINT).shared();
        Table now = next.of(ResourceType.ENDPOINT).shared();
        boolean waits = subscriptions.containsKey(ResourceType.CLUSTER) && subscriptions.containsKey(ResourceType.ENDPOINT);
        if (!waits || old.version().equals(now.version())) {
            return;
        }
        Set<String> added = now.since(old).changed().stream()
                .map(Versioned::name)
                .filter(name -> old.get(name) == null)
                .collect(Collectors.toSet());
        if (!added.isEmpty()) {
            Set<String> still = new HashSet<>(awaited);
            still.removeIf(name -> now.get(name) == null);
            still.addAll(added);
            awaited = still;
            awaitedUntil = System.nanoTime() + MAKE_TIMEOUT.toNanos();
            scheduler.schedule(flushLater, MAKE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private synchronized void flushLater() {
        if (!ended) {
            flush();
        }
    }

    private void flush() {
        if (target == null || ended) {
            return;
        }
        tell();
        noteSecured();
    }

    /**
     * An inbound takes mesh TLS once the reader has accepted what says so of all of them and has a certificate. What changes later, be it
     * that there is one more, does not take that back for the moment that it is under way.
     */
    private void noteSecured() {
        Set<ClientNode.Address> now = node.addresses();
        now.retainAll(target.secured());
        if (!accepted(ResourceType.LISTENER) || !subscriptions.containsKey(ResourceType.LISTENER) || !hasCertificate()) {
            now.retainAll(secured);
        }
        if (!now.equals(secured)) {
            secured = now;
            events.secured(this, now);
        }
    }

    private boolean hasCertificate() {
        return node.kind() == ClientNode.Kind.AGENT
                ? node.holdsIdentity()
                : subscriptions.containsKey(ResourceType.SECRET) && accepted(ResourceType.SECRET);
    }

    private void tell() {
        respond(ResourceType.SECRET);
        respond(ResourceType.CLUSTER);
        respond(ResourceType.ENDPOINT);
        if (!made()) {
            return;
        }
        respond(ResourceType.LISTENER);
        respond(ResourceType.ROUTE);
        respond(ResourceType.VIRTUAL_HOST);
        // Of what it refuses the last good stays in force, with the clusters that this leads to.
        if (!retained.isEmpty()
                && accepted(ResourceType.LISTENER)
                && accepted(ResourceType.ROUTE)
                && accepted(ResourceType.VIRTUAL_HOST)) {
            retained.clear();
            respond(ResourceType.CLUSTER);
            respond(ResourceType.ENDPOINT);
        }
    }

    /** Whether the reader has what the next routes lead to. */
    private boolean made() {
        if (awaited.isEmpty()) {
            return true;
        }
        Subscription endpoints = subscriptions.get(ResourceType.ENDPOINT);
        boolean ready = settled(ResourceType.CLUSTER)
                && endpoints != null
                && endpoints.settled(new View(ResourceType.ENDPOINT))
                && awaited.stream().allMatch(endpoints::told);
        if (ready || System.nanoTime() - awaitedUntil >= 0) {
            awaited = Set.of();
            return true;
        }
        return false;
    }

    private boolean settled(ResourceType type) {
        Subscription subscription = subscriptions.get(type);
        return subscription == null || subscription.settled(new View(type));
    }

    private boolean accepted(ResourceType type) {
        Subscription subscription = subscriptions.get(type);
        return subscription == null || subscription.settled(new View(type)) && !subscription.refused();
    }

    private void respond(ResourceType type) {
        Subscription subscription = subscriptions.get(type);
        if (subscription == null) {
            return;
        }
        subscription.respond(new View(type));
    }

    @Override
    public synchronized void onV3StreamRequest(long streamId, DiscoveryRequest request) throws RequestException {
        identify(request.getNode());
        ResourceType type = ResourceType.of(request.getTypeUrl());
        answered(type, request.getTypeUrl(), request.getResponseNonce(),
                request.hasErrorDetail() ? Optional.of(request.getErrorDetail().getMessage()) : Optional.empty());
        if (type != null) {
            subscriptions.computeIfAbsent(type, key -> new WholeSubscription(key, request));
        }
    }

    /** A request of an incremental stream. */
    synchronized void take(DeltaDiscoveryRequest request) throws RequestException {
        if (ended) {
            return;
        }
        identify(request.getNode());
        ResourceType type = ResourceType.of(request.getTypeUrl());
        answered(type, request.getTypeUrl(), request.getResponseNonce(),
                request.hasErrorDetail() ? Optional.of(request.getErrorDetail().getMessage()) : Optional.empty());
        // A type that is not served is never answered, as other control planes do it.
        if (type == null) {
            return;
        }
        DeltaSubscription subscription = (DeltaSubscription) subscriptions.get(type);
        if (subscription == null) {
            subscription = new DeltaSubscription(type, request, new Increments());
            subscriptions.put(type, subscription);
        } else {
            subscription.change(request);
        }
        if (subscription.names() > MAX_NAMES) {
            throw invalid(node.id() + " asks for more than " + MAX_NAMES + " names of " + shortName(request.getTypeUrl())
                    + "; more are not kept for one data plane");
        }
        flush();
    }

    /** Ends it for a request that cannot be taken. */
    synchronized void refuse(RequestException why) {
        if (end(false)) {
            abort.accept(why.getStatus());
        }
    }

    private final class Increments implements DeltaSubscription.Responses {
        @Override
        public Pushes.Sent send(DeltaDiscoveryResponse response) {
            increments.accept(response);
            return pushes.sent(response.getSerializedSize());
        }

        @Override
        public void answered(Pushes.Sent response) {
            pushes.answered(response);
        }
    }

    @Override
    public void onV3StreamDeltaRequest(long streamId, DeltaDiscoveryRequest request) {
        throw new IllegalStateException("incremental streams are read here");
    }

    /** @param type null: none that is served */
    private void answered(ResourceType type, String typeUrl, String nonce, Optional<String> refusal) {
        if (refusal.isPresent()) {
            LOG.warn("{} refuses {}: {}", node == null ? "a data plane" : node.id(), shortName(typeUrl), refusal.get());
        }
        if (type != null && !nonce.isEmpty() && subscriptions.containsKey(type)) {
            subscriptions.get(type).answered(nonce, refusal);
        }
    }

    @Override
    public void onV3StreamResponse(long streamId, DiscoveryRequest request, DiscoveryResponse response) {
        sent(request.getTypeUrl(), response.getNonce());
    }

    private synchronized void sent(String typeUrl, String nonce) {
        WholeSubscription subscription = (WholeSubscription) subscriptions.get(ResourceType.of(typeUrl));
        if (subscription != null) {
            subscription.sent(nonce);
        }
    }

    private static String shortName(String typeUrl) {
        return typeUrl.substring(typeUrl.lastIndexOf('.') + 1);
    }

    /** A reader may say who it is on any request, and need not say so again. */
    private void identify(Node sent) throws RequestException {
        if (ended) {
            return;
        }
        if (sent.equals(Node.getDefaultInstance())) {
            if (node == null) {
                throw invalid("the first request of a stream must carry a node");
            }
            return;
        }
        if (sent.equals(lastNode)) {
            return;
        }
        if (node != null && !sent.getId().equals(node.id())) {
            throw invalid("node.id must not change on a stream: " + node.id() + " became " + sent.getId());
        }
        try {
            node = events.identified(this, sent);
            lastNode = sent;
            // Of an inbound that comes again nothing was said yet, and the registry has forgotten what was.
            Set<ClientNode.Address> kept = node.addresses();
            kept.retainAll(secured);
            secured = kept;
            forgetExpiry();
        } catch (Admission.RefusedException e) {
            TURNED_AWAY.say("a data plane is turned away: " + e.getMessage());
            throw new RequestException(e.status());
        } catch (NodeReader.InvalidNodeException e) {
            throw invalid(e.getMessage());
        }
    }

    private static RequestException invalid(String message) {
        TURNED_AWAY.say("a data plane is turned away: " + message);
        return new RequestException(Status.INVALID_ARGUMENT.withDescription(message));
    }

    @Override
    public DeltaWatch createDeltaWatch(
            DeltaXdsRequest request,
            String requesterVersion,
            Map<String, String> resourceVersions,
            Set<String> pendingResources,
            boolean isWildcard,
            Consumer<DeltaResponse> responseConsumer,
            boolean hasClusterChanged) {
        throw new IllegalStateException("incremental streams are read here");
    }

    @Override
    public synchronized Watch createWatch(
            boolean ads,
            XdsRequest request,
            Set<String> knownResourceNames,
            Consumer<Response> responseConsumer,
            boolean hasClusterChanged,
            boolean allowDefaultEmptyEdsUpdate) {
        Watch watch = new Watch(ads, allowDefaultEmptyEdsUpdate, request, responseConsumer);
        ResourceType type = ResourceType.of(request.getTypeUrl());
        if (type != null) {
            // A cluster that was sent again waits for its endpoints, even for the same ones.
            boolean again = hasClusterChanged && type == ResourceType.ENDPOINT;
            ((WholeSubscription) subscriptions.get(type)).open(watch, again);
            flush();
        }
        return watch;
    }

    @Override
    public void onStreamClose(long streamId, String typeUrl) {
        end(true);
    }

    @Override
    public void onStreamCloseWithError(long streamId, String typeUrl, Throwable error) {
        end(false);
    }

    private void forgetExpiry() {
        if (expiry != null) {
            expiry.cancel(false);
            expiry = null;
        }
    }

    /** @return whether it was not over yet */
    synchronized boolean end(boolean inGoodOrder) {
        if (ended) {
            return false;
        }
        ended = true;
        forgetExpiry();
        subscriptions.values().forEach(Subscription::end);
        events.ended(this, inGoodOrder);
        return true;
    }
}
