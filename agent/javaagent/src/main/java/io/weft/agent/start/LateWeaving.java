package io.weft.agent.start;

import io.weft.agent.link.Attachments;
import io.weft.agent.mesh.Background;
import io.weft.agent.weave.LoadedClasses;
import java.util.concurrent.atomic.AtomicBoolean;

/** Goes through the loaded classes when some may have passed by the transformer: at the start, and after each attachment. */
final class LateWeaving implements Attachments.Listener {
    private final Background background;
    private final LoadedClasses loaded;
    private final AtomicBoolean planned = new AtomicBoolean();

    LateWeaving(Background background, LoadedClasses loaded) {
        this.background = background;
        this.loaded = loaded;
    }

    void weaveLoaded() {
        loaded.weave();
    }

    /** Once for all attachments that come close together. */
    @Override
    public void attached(String module) {
        if (planned.compareAndSet(false, true)) {
            background.run("instrument classes that were loaded already", new Scan());
        }
    }

    private final class Scan implements Runnable {
        @Override
        public void run() {
            planned.set(false);
            loaded.weave();
        }
    }
}
