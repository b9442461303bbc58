package io.weft.instrumentation.netty;

import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;
import io.weft.dataplane.Self;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandles;
import java.time.Duration;

/** A data plane without a policy, as an adapter sees it. A fault of it fails the test. */
record Agent(DataPlane dataPlane) implements AdapterContext {
    static Agent start() {
        return new Agent(DataPlane.start(Duration.ZERO, (delay, task) -> () -> { }, (where, fault) -> {
            throw new AssertionError(where, fault);
        }, Self.UNKNOWN));
    }

    @Override
    public Outbound outbound() {
        return dataPlane;
    }

    @Override
    public Inbound inbound() {
        return dataPlane.inbound();
    }

    @Override
    public ClassLoader library() {
        return Agent.class.getClassLoader();
    }

    @Override
    public MethodHandles.Lookup lookup(String className) throws ReflectiveOperationException {
        return MethodHandles.privateLookupIn(Class.forName(className), MethodHandles.lookup());
    }

    @Override
    public boolean late() {
        return false;
    }

    @Override
    public void wake(String hook) {
        throw new AssertionError(hook);
    }

    @Override
    public void warn(String message) {
        throw new AssertionError(message);
    }
}
