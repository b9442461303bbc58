package io.weft.controlplane.injector;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** How the agent's jar gets into a pod. */
public enum AgentDelivery {
    /** An init container copies it into an {@code emptyDir}. */
    INIT_CONTAINER {
        @Override
        ObjectNode volume(AgentImage image) {
            ObjectNode volume = JsonNodeFactory.instance.objectNode().put("name", PodInjection.AGENT_VOLUME);
            volume.putObject("emptyDir");
            return volume;
        }
    },
    /** The image itself is mounted (KEP-4639): the API server and the container runtime of every node must be able to. */
    IMAGE_VOLUME {
        @Override
        ObjectNode volume(AgentImage image) {
            ObjectNode volume = JsonNodeFactory.instance.objectNode().put("name", PodInjection.AGENT_VOLUME);
            ObjectNode source = volume.putObject("image").put("reference", image.reference());
            image.pullPolicy().ifPresent(policy -> source.put("pullPolicy", policy));
            return volume;
        }
    };

    /** The volume of which the directory {@link PodInjection#AGENT_DIRECTORY} of each container is made. */
    abstract ObjectNode volume(AgentImage image);
}
