package io.weft.controlplane.registry;

import java.util.Set;

/**
 * @param resource the text of the Dataplane, as it was sent
 * @param secured whether it takes mesh TLS
 * @param unready those of its inbounds that do not yet
 */
public record SavedRegistration(
        String id,
        String service,
        ClientNode.Kind kind,
        String resource,
        Registry.Health health,
        boolean secured,
        Set<ClientNode.Address> unready) {

    public SavedRegistration {
        // An earlier version knew of all or none, and wrote nothing of this.
        unready = unready == null ? Set.of() : Set.copyOf(unready);
    }
}
