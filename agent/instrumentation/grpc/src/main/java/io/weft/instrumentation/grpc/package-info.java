/**
 * gRPC-Java as a client: {@code grpc-netty}, {@code grpc-netty-shaded} and {@code grpc-okhttp}.
 *
 * <p>A channel comes to the mesh where it would ask its load balancer for a transport, once for each stream. That is below the app's
 * interceptors, and below all that the library does for a call: deadlines, cancellation, compression, executors, and the retries of
 * the app's own service config. What the mesh gives it there is a stream of its own, which makes as many attempts as policy wants,
 * each on a transport to one endpoint. These transports come from the channel's own factory, so that keep-alive, flow control, event
 * loops, limits and call credentials are the app's, and end with its channel.
 *
 * <p>The other place would have been the channel's name resolver and load balancer. They are asked once, when the channel leaves its
 * idle state, before any call: a picker of the mesh's would have to stand in for those of every target, also of one that policy names
 * later or not any more, and could neither see a response nor send a call again. Here a target that no policy names is not
 * touched, and one that policy names needs no name that resolves: its channel stays in the idle state in which the library made it,
 * and shows the state of the transports to the endpoints instead.
 *
 * <p>One exchange is for one thread at a time, while a call's app, its transport and timers each come on threads of their own:
 * {@link io.weft.instrumentation.grpc.MeshStream} takes all of it in turns, by the library's own {@code SynchronizationContext},
 * which nobody ever waits for.
 */
package io.weft.instrumentation.grpc;
