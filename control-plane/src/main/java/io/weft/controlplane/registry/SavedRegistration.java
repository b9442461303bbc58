package io.weft.controlplane.registry;

/**
 * @param resource the text of the Dataplane, as it was sent
 * @param secured whether it takes mesh TLS
 */
public record SavedRegistration(
        String id, String service, ClientNode.Kind kind, String resource, Registry.Health health, boolean secured) {}
