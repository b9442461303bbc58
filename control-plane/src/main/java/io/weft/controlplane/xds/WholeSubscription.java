package io.weft.controlplane.xds;

import com.google.protobuf.Any;
import io.envoyproxy.controlplane.cache.Response;
import io.envoyproxy.controlplane.cache.Watch;
import io.envoyproxy.controlplane.cache.WatchCancelledException;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.weft.controlplane.xds.NodeStream.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** State of the world: every response holds all that was asked for. */
final class WholeSubscription implements Subscription {

    private static final Logger LOG = LoggerFactory.getLogger(WholeSubscription.class);

    private final ResourceType type;
    private Set<String> names = Set.of();
    private boolean wildcard;
    private String toldVersion;
    private Set<String> toldNames = Set.of();
    private boolean again;
    private String lastNonce = "";
    private Optional<String> refusal = Optional.empty();
    private Watch watch;

    WholeSubscription(ResourceType type, DiscoveryRequest first) {
        this.type = type;
        this.toldVersion = first.getVersionInfo();
    }

    /** @param again whether the reader waits for an answer although nothing changed */
    void open(Watch opened, boolean again) {
        List<String> requested = opened.request().getResourceNamesList();
        names = new TreeSet<>(requested);
        wildcard = names.remove("*") || (type.wildcardByDefault() && requested.isEmpty());
        this.again = again;
        watch = opened;
    }

    @Override
    public void respond(View view) {
        if (watch == null || (!wildcard && names.isEmpty())) {
            return;
        }
        List<Versioned> resources = wanted(view);
        String version = Table.version(resources);
        boolean more = !toldNames.isEmpty() && !toldNames.containsAll(names);
        if (version.equals(toldVersion) && !again && !more) {
            return;
        }
        List<Any> messages = new ArrayList<>();
        Set<String> present = new TreeSet<>();
        resources.forEach(resource -> {
            messages.add(resource.message());
            present.add(resource.name());
        });
        if (messages.isEmpty() && !wildcard) {
            // Nothing of what was asked for exists; the protocol has no way to say so but silence.
            return;
        }
        toldVersion = version;
        toldNames = wildcard ? present : Set.copyOf(names);
        again = false;
        Watch answered = watch;
        watch = null;
        try {
            answered.respond(Response.create(answered.request(), messages, version));
        } catch (WatchCancelledException e) {
            // The stream ended meanwhile; whoever comes next asks for everything anew.
            LOG.debug("a stream ended while it was told about {}", type);
        }
    }

    private List<Versioned> wanted(View view) {
        List<Versioned> resources = new ArrayList<>();
        if (wildcard) {
            view.forEach(resources::add);
        } else {
            for (String name : names) {
                Versioned resource = view.get(name);
                if (resource != null) {
                    resources.add(resource);
                }
            }
        }
        return resources;
    }

    @Override
    public boolean settled(View view) {
        if (watch == null) {
            return false;
        }
        List<Versioned> resources = wanted(view);
        return resources.isEmpty() || Table.version(resources).equals(toldVersion);
    }

    /** The response that {@link #respond} made went out under this nonce. */
    void sent(String nonce) {
        lastNonce = nonce;
    }

    @Override
    public void answered(String nonce, Optional<String> refusal) {
        if (nonce.equals(lastNonce)) {
            this.refusal = refusal;
        }
    }

    @Override
    public Optional<String> refusal() {
        return refusal;
    }

    @Override
    public boolean told(String name) {
        return toldNames.contains(name);
    }
}
