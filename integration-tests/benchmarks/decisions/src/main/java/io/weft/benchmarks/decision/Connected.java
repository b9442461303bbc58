package io.weft.benchmarks.decision;

import io.grpc.Attributes;
import io.grpc.ChannelLogger;
import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancer.CreateSubchannelArgs;
import io.grpc.LoadBalancer.Subchannel;
import io.grpc.LoadBalancer.SubchannelPicker;
import io.grpc.LoadBalancer.SubchannelStateListener;
import io.grpc.ManagedChannel;
import io.grpc.SynchronizationContext;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/** What a balancer of gRPC's is put to work by: every connection is there as soon as it is asked for. */
final class Connected extends LoadBalancer.Helper {
    final SynchronizationContext context = new SynchronizationContext((thread, fault) -> {
        throw new AssertionError(fault);
    });
    private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });
    volatile SubchannelPicker picker;

    @Override
    public Subchannel createSubchannel(CreateSubchannelArgs args) {
        return new Subchannel() {
            private SubchannelStateListener listener;

            @Override
            public void start(SubchannelStateListener told) {
                listener = told;
            }

            @Override
            public void requestConnection() {
                context.execute(() -> listener.onSubchannelState(ConnectivityStateInfo.forNonError(ConnectivityState.READY)));
            }

            @Override
            public void shutdown() {}

            @Override
            public List<EquivalentAddressGroup> getAllAddresses() {
                return args.getAddresses();
            }

            @Override
            public Attributes getAttributes() {
                return Attributes.EMPTY;
            }
        };
    }

    @Override
    public void updateBalancingState(ConnectivityState state, SubchannelPicker newer) {
        picker = newer;
    }

    @Override
    public SynchronizationContext getSynchronizationContext() {
        return context;
    }

    @Override
    public ScheduledExecutorService getScheduledExecutorService() {
        return timers;
    }

    @Override
    public String getAuthority() {
        return "orders";
    }

    @Override
    public ChannelLogger getChannelLogger() {
        return new ChannelLogger() {
            @Override
            public void log(ChannelLogLevel level, String message) {}

            @Override
            public void log(ChannelLogLevel level, String format, Object... arguments) {}
        };
    }

    @Override
    public ManagedChannel createOobChannel(EquivalentAddressGroup addresses, String authority) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void refreshNameResolution() {}
}
