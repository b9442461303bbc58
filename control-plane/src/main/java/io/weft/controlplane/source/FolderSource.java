package io.weft.controlplane.source;

import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.FolderWatcher;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshMultiZoneService;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.service.ServiceCatalog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The policy files of a folder. What is there to be called is what registers, and what a file says of the rest. */
public final class FolderSource implements Source {

    private final Path folder;
    private final PolicyHistory history;
    private FolderWatcher watcher;

    public FolderSource(Path folder, ResourceParser parser) {
        this.folder = folder;
        this.history = new PolicyHistory(parser);
    }

    @Override
    public void start(Listener listener) throws IOException {
        watcher = FolderWatcher.start(new FolderReader(folder), FolderWatcher.Patience.DEFAULT, texts ->
                listener.policies(history.update(texts)));
    }

    @Override
    public List<Instance> instances(String mesh, PolicySet policies, List<Instance> registered, MeshSecurity security) {
        List<Instance> instances = new ArrayList<>();
        for (Dataplane dataplane : policies.all(Dataplane.class, mesh)) {
            instances.add(Instance.inPlaintext(dataplane, Health.HEALTHY));
        }
        instances.addAll(registered);
        return instances;
    }

    @Override
    public ServiceCatalog services(
            String mesh, PolicySet policies, List<Instance> registered, List<MeshHttpRoute> routes, MeshSecurity security) {
        return ServiceCatalog.build(
                        mesh, instances(mesh, policies, registered, security), policies.all(MeshService.class, mesh), routes, security)
                .with(policies.all(MeshMultiZoneService.class, mesh), policies.all(MeshExternalService.class, mesh));
    }

    @Override
    public void close() throws IOException {
        if (watcher != null) {
            watcher.close();
        }
    }
}
