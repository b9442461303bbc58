package io.weft.agent.link;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;

/** What every adapter of this JVM shares. Asked for with the first adapter, on an app's thread. */
public interface MeshAccess {
    Outbound outbound();

    Inbound inbound();

    /** The app ran already when the agent came. */
    boolean late();
}
