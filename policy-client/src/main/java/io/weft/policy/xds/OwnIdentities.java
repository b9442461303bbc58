package io.weft.policy.xds;

import io.netty.channel.EventLoop;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.identity.HeldIdentity;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.Secret;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What this process gets for itself: one identity, or one of each certificate provider. Confined to the event loop. */
final class OwnIdentities {

    interface Observer {
        /** @param own what is held now */
        void changed(Map<String, Secret> own);

        /**
         * The control plane is to know it; after {@link #changed}, for whoever hears it may count on it.
         *
         * @param spiffeId of the first by name that has one; empty: of none
         */
        void identified(String spiffeId);

        /** @see #problem */
        void problemChanged();
    }

    private final Observer observer;
    private final List<IdentitySource> sources = new ArrayList<>();
    /** By the name of the provider; by the empty name where there is but one. */
    private final Map<String, HeldIdentity> held = new TreeMap<>();
    private final Map<String, String> problems = new TreeMap<>();

    OwnIdentities(EventLoop loop, PolicyClientConfig config, Environment environment, Observer observer) {
        this.observer = observer;
        IdentityConfig.Source source = config.identity().source();
        if (source instanceof IdentityConfig.Providers providers) {
            providers.instances().forEach((name, files) ->
                    sources.add(new WatchedIdentity(loop, files, environment, new News(name))));
        } else if (source instanceof IdentityConfig.InFiles files) {
            sources.add(new WatchedIdentity(loop, files, environment, new News("")));
        } else if (source instanceof IdentityConfig.FromWorkloadApi workloadApi) {
            sources.add(new WorkloadApiIdentity(loop, workloadApi, config, environment, new News("")));
        } else {
            sources.add(new RequestedIdentity(loop, config, environment, new News("")));
        }
    }

    /** Once. */
    void start() {
        sources.forEach(IdentitySource::start);
    }

    void stop() {
        sources.forEach(IdentitySource::stop);
    }

    /** What keeps any of them from being there, or from being renewed. */
    Optional<String> problem() {
        return problems.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", problems.values()));
    }

    private void changed() {
        Map<String, Secret> own = new HashMap<>();
        held.forEach((provider, identity) -> {
            identity.certificate().ifPresent(certificate ->
                    put(own, name(Secret.OWN_IDENTITY, provider), new Secret.Identity(certificate)));
            identity.trust().ifPresent(trust -> put(own, name(Secret.OWN_AUTHORITIES, provider), new Secret.Validation(
                    new CertificateValidation(trust, List.of(), List.of(), List.of()))));
        });
        observer.changed(own);
        observer.identified(held.values().stream().map(HeldIdentity::uri).filter(uri -> !uri.isEmpty()).findFirst().orElse(""));
        observer.problemChanged();
    }

    private static String name(String own, String provider) {
        return provider.isEmpty() ? own : Secret.ofProvider(own, provider);
    }

    private static void put(Map<String, Secret> own, String name, Secret.Content content) {
        own.put(name, new Secret(name, content));
    }

    private final class News implements IdentitySource.Listener {
        private final String provider;

        News(String provider) {
            this.provider = provider;
        }

        @Override
        public void held(HeldIdentity identity) {
            held.put(provider, identity);
            problems.remove(provider);
            changed();
        }

        @Override
        public void lost() {
            held.remove(provider);
            problems.putIfAbsent(provider, provider.isEmpty()
                    ? "the certificate of this process has expired"
                    : "the certificate of provider " + provider + " has expired");
            changed();
        }

        @Override
        public void trouble(String what) {
            problems.put(provider, what);
            observer.problemChanged();
        }
    }
}
