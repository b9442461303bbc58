package io.weft.controlplane.source;

import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.service.ServiceCatalog;
import java.io.IOException;
import java.util.List;

/** Where the resources of all meshes come from; how they are read is up to the parsers, whatever the source. */
public interface Source extends AutoCloseable {

    /** Called one at a time. */
    interface Listener {

        /** Policies have changed. */
        void policies(PolicySet policies);

        /** What {@link Source#services} yields has changed. */
        void services();
    }

    /**
     * Hands what there is to the listener before it returns, and from then on each change. What cannot be read later leaves in force
     * what is.
     *
     * @throws IOException there is nothing to begin with
     */
    void start(Listener listener) throws IOException;

    /**
     * The data planes of a mesh that are known.
     *
     * @param policies those in force, or such as might be
     * @param registered those that are connected, or were until lately
     * @param security the same object for as long as nothing of it has changed
     */
    List<Instance> instances(String mesh, PolicySet policies, List<Instance> registered, MeshSecurity security);

    /**
     * The services of a mesh. Called by one thread for the policies in force, and by any for others.
     *
     * @param policies those in force, or such as might be
     * @param registered data planes that are connected, or were until lately
     * @param routes of the mesh
     * @param security the same object for as long as nothing of it has changed
     */
    ServiceCatalog services(
            String mesh, PolicySet policies, List<Instance> registered, List<MeshHttpRoute> routes, MeshSecurity security);

    /** After it the listener hears nothing more. */
    @Override
    void close() throws IOException;
}
