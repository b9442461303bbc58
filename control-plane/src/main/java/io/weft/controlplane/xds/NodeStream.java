package io.weft.controlplane.xds;

import io.envoyproxy.controlplane.cache.ConfigWatcher;
import io.envoyproxy.controlplane.cache.DeltaResponse;
import io.envoyproxy.controlplane.cache.DeltaWatch;
import io.envoyproxy.controlplane.cache.DeltaXdsRequest;
import io.envoyproxy.controlplane.cache.Response;
import io.envoyproxy.controlplane.cache.Watch;
import io.envoyproxy.controlplane.cache.WatchCancelledException;
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
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.Registry.StreamId;
import io.weft.controlplane.token.Bearer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One ADS stream: decides what its reader is told, and when. java-control-plane does the protocol (nonces, framing); its own
 * cache is not used, because on a reconnect it neither honours {@code initial_resource_versions} nor tells of what was removed
 * meanwhile, and because it removes a cluster before the routes that lead to it.
 *
 * <p>A change is made before it is broken: new clusters and their endpoints first, then listeners and routes, and what these
 * no longer need only after they were accepted. A reader that asks for endpoints, but not for those of a new cluster, is not
 * waited for longer than {@link #MAKE_TIMEOUT}.
 *
 * <p>Thread-safe; everything is guarded by this object's lock.
 */
final class NodeStream implements ConfigWatcher, DiscoveryServerCallbacks {

    private static final Logger LOG = LoggerFactory.getLogger(NodeStream.class);

    private static final Duration MAKE_TIMEOUT = Duration.ofSeconds(1);

    private final StreamId id;
    private final Bearer bearer;
    private final Consumer<Status> abort;
    private final StreamEvents events;
    private final ScheduledExecutorService scheduler;
    private final Map<ResourceType, Subscription> subscriptions = new EnumMap<>(ResourceType.class);
    /** Clusters and endpoints that the reader's routes may still lead to. */
    private final Map<ResourceType, Map<String, Versioned>> retained = new EnumMap<>(ResourceType.class);
    private NodeConfig target;
    private Node lastNode = Node.getDefaultInstance();
    private ClientNode node;
    /** Clusters that routes have to wait for. */
    private Set<String> awaited = Set.of();
    private long awaitedUntil;
    private boolean secured;
    private boolean ended;

    /** What the owner of all streams hears; called with the stream's lock held. */
    interface StreamEvents {

        /** The reader said who it is, for the first time or anew. */
        ClientNode identified(NodeStream stream, Node node)
                throws NodeReader.InvalidNodeException, Admission.RefusedException;

        /** The reader takes mesh TLS from now on, or no longer. */
        void secured(NodeStream stream, boolean secured);

        /** The stream is over. */
        void ended(NodeStream stream, boolean inGoodOrder);
    }

    /**
     * @param bearer whoever opened it
     * @param abort ends the stream with a status
     */
    NodeStream(
            StreamId id, Bearer bearer, Consumer<Status> abort, StreamEvents events, ScheduledExecutorService scheduler) {
        this.id = id;
        this.bearer = bearer;
        this.abort = abort;
        this.events = events;
        this.scheduler = scheduler;
    }

    StreamId id() {
        return id;
    }

    Bearer bearer() {
        return bearer;
    }

    /** Ends it: what its reader has been told is no longer for it. */
    synchronized void turnAway(Status status) {
        if (!ended) {
            LOG.warn("{} is turned away: {}", node == null ? "a data plane" : node.id(), status.getDescription());
            abort.accept(status);
            end(false);
        }
    }

    /** Empty until the first request. */
    synchronized Optional<ClientNode> node() {
        return Optional.ofNullable(node);
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
    final class View {

        private final NodeConfig.Layers layers;
        private final Map<String, Versioned> kept;

        private View(ResourceType type) {
            layers = target.of(type);
            kept = retained.getOrDefault(type, Map.of());
        }

        Versioned get(String name) {
            Versioned resource = layers.get(name);
            return resource == null ? kept.get(name) : resource;
        }

        void forEach(Consumer<Versioned> consumer) {
            layers.shared().resources().values().forEach(consumer);
            layers.own().resources().values().forEach(consumer);
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
        flush();
    }

    private static boolean same(NodeConfig a, NodeConfig b) {
        for (ResourceType type : ResourceType.values()) {
            if (!a.of(type).sameAs(b.of(type))) {
                return false;
            }
        }
        return true;
    }

    private void retain(ResourceType type, NodeConfig previous, NodeConfig next) {
        if (!subscriptions.containsKey(ResourceType.LISTENER) && !subscriptions.containsKey(ResourceType.ROUTE)) {
            return;
        }
        Map<String, Versioned> kept = retained.computeIfAbsent(type, key -> new HashMap<>());
        if (!previous.of(type).sameAs(next.of(type))) {
            kept.putAll(previous.of(type).shared().resources());
            kept.putAll(previous.of(type).own().resources());
        }
        kept.keySet().removeIf(name -> next.of(type).get(name) != null);
    }

    private void await(NodeConfig previous, NodeConfig next) {
        Table old = previous.of(ResourceType.ENDPOINT).shared();
        Table now = next.of(ResourceType.ENDPOINT).shared();
        boolean waits = subscriptions.containsKey(ResourceType.CLUSTER) && subscriptions.containsKey(ResourceType.ENDPOINT);
        if (!waits || old.version().equals(now.version())) {
            return;
        }
        Set<String> added = new HashSet<>(now.resources().keySet());
        added.removeAll(old.resources().keySet());
        if (!added.isEmpty()) {
            Set<String> still = new HashSet<>(awaited);
            still.retainAll(now.resources().keySet());
            still.addAll(added);
            awaited = still;
            awaitedUntil = System.nanoTime() + MAKE_TIMEOUT.toNanos();
            scheduler.schedule(this::flushLater, MAKE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
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
     * Its inbounds take mesh TLS once it has accepted what says so and has a certificate. What changes later does not take that back
     * for the moment that it is under way.
     */
    private void noteSecured() {
        boolean now = target.securedInbounds()
                && (secured || accepted(ResourceType.LISTENER) && subscriptions.containsKey(ResourceType.LISTENER) && hasCertificate());
        if (now != secured) {
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
        // Of what it refuses the last good stays in force, with the clusters that this leads to.
        if (!retained.isEmpty() && accepted(ResourceType.LISTENER) && accepted(ResourceType.ROUTE)) {
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
        try {
            subscription.respond(new View(type));
        } catch (WatchCancelledException e) {
            // The stream ended meanwhile; whoever comes next asks for everything anew.
            LOG.debug("stream {} ended while it was told about {}", id.number(), type);
        }
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

    @Override
    public synchronized void onV3StreamDeltaRequest(long streamId, DeltaDiscoveryRequest request)
            throws RequestException {
        identify(request.getNode());
        ResourceType type = ResourceType.of(request.getTypeUrl());
        answered(type, request.getTypeUrl(), request.getResponseNonce(),
                request.hasErrorDetail() ? Optional.of(request.getErrorDetail().getMessage()) : Optional.empty());
        if (type == null) {
            return;
        }
        DeltaSubscription subscription = (DeltaSubscription) subscriptions.get(type);
        if (subscription == null) {
            subscriptions.put(type, new DeltaSubscription(type, request));
        } else {
            subscription.change(request);
        }
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

    @Override
    public void onV3StreamDeltaResponse(long streamId, DeltaDiscoveryRequest request, DeltaDiscoveryResponse response) {
        sent(request.getTypeUrl(), response.getNonce());
    }

    private synchronized void sent(String typeUrl, String nonce) {
        Subscription subscription = subscriptions.get(ResourceType.of(typeUrl));
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
        } catch (Admission.RefusedException e) {
            LOG.warn("a data plane is turned away: {}", e.getMessage());
            throw new RequestException(e.status());
        } catch (NodeReader.InvalidNodeException e) {
            throw invalid(e.getMessage());
        }
    }

    private static RequestException invalid(String message) {
        LOG.warn("a data plane is turned away: {}", message);
        return new RequestException(Status.INVALID_ARGUMENT.withDescription(message));
    }

    @Override
    public synchronized DeltaWatch createDeltaWatch(
            DeltaXdsRequest request,
            String requesterVersion,
            Map<String, String> resourceVersions,
            Set<String> pendingResources,
            boolean isWildcard,
            Consumer<DeltaResponse> responseConsumer,
            boolean hasClusterChanged) {
        DeltaWatch watch = new DeltaWatch(
                request, resourceVersions, pendingResources, requesterVersion, isWildcard, responseConsumer);
        ResourceType type = ResourceType.of(request.getTypeUrl());
        // A type that is not served is never answered, as other control planes do it.
        if (type != null) {
            ((DeltaSubscription) subscriptions.get(type)).open(watch);
            flush();
        }
        return watch;
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

    private synchronized void end(boolean inGoodOrder) {
        if (!ended) {
            ended = true;
            events.ended(this, inGoodOrder);
        }
    }
}
