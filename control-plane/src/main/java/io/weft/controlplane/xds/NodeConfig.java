package io.weft.controlplane.xds;

import java.util.Map;

/**
 * All that one data plane gets: what it shares with others, and its own. Immutable.
 *
 * @param securedInbounds whether its inbounds take mesh TLS once it has all of this
 */
record NodeConfig(Map<ResourceType, Layers> types, boolean securedInbounds) {

    NodeConfig {
        types = Map.copyOf(types);
    }

    Layers of(ResourceType type) {
        return types.getOrDefault(type, Layers.EMPTY);
    }

    /** A name is in one of the two, never in both. */
    record Layers(Table shared, Table own) {

        static final Layers EMPTY = new Layers(Table.EMPTY, Table.EMPTY);

        Versioned get(String name) {
            Versioned resource = own.get(name);
            return resource == null ? shared.get(name) : resource;
        }

        boolean sameAs(Layers other) {
            return shared.version().equals(other.shared.version()) && own.version().equals(other.own.version());
        }
    }
}
