package io.weft.controlplane.xds;

import io.weft.controlplane.registry.ClientNode;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * All that one data plane gets: what it shares with others, and its own. Immutable.
 *
 * @param secured those of its inbounds that take mesh TLS once it has all of this
 */
record NodeConfig(Map<ResourceType, Layers> types, Set<ClientNode.Address> secured) {

    NodeConfig {
        types = Map.copyOf(types);
        secured = Set.copyOf(secured);
    }

    Layers of(ResourceType type) {
        return types.getOrDefault(type, Layers.EMPTY);
    }

    /** Of one type. */
    interface Resources {

        /** Null if there is none. */
        Versioned get(String name);

        void forEach(Consumer<Versioned> consumer);
    }

    /** What is in both is as its own one says. */
    record Layers(Table shared, Table own) implements Resources {

        static final Layers EMPTY = new Layers(Table.EMPTY, Table.EMPTY);

        @Override
        public Versioned get(String name) {
            Versioned resource = own.get(name);
            return resource == null ? shared.get(name) : resource;
        }

        @Override
        public void forEach(Consumer<Versioned> consumer) {
            shared.resources().forEach(resource -> {
                if (own.get(resource.name()) == null) {
                    consumer.accept(resource);
                }
            });
            own.resources().forEach(consumer);
        }

        boolean sameAs(Layers other) {
            return shared.version().equals(other.shared.version()) && own.version().equals(other.own.version());
        }
    }
}
