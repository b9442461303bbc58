package io.weft.controlplane.source;

import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.FolderWatcher;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/** The policy files of a folder. */
public final class FolderSource implements Source {

    private final Path folder;
    private final PolicyHistory history;
    private FolderWatcher watcher;

    public FolderSource(Path folder, ResourceParser parser) {
        this.folder = folder;
        this.history = new PolicyHistory(parser);
    }

    @Override
    public void start(Consumer<PolicySet> listener) throws IOException {
        watcher = FolderWatcher.start(
                new FolderReader(folder), FolderWatcher.Patience.DEFAULT, texts -> listener.accept(history.update(texts)));
    }

    @Override
    public void close() throws IOException {
        if (watcher != null) {
            watcher.close();
        }
    }
}
