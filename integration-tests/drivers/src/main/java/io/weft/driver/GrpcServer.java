package io.weft.driver;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;

/** A gRPC server with whatever transport is on the class path: answers each message of a {@link GrpcClient} with its own name and that. */
public final class GrpcServer {
    private GrpcServer() {}

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, GrpcServer::start);
    }

    private static ServerDriver.Server start(String instance) throws Exception {
        Server server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).addService(service(instance)).build().start();
        return new ServerDriver.Server() {
            @Override
            public int port() {
                return server.getPort();
            }

            @Override
            public void close() throws InterruptedException {
                server.shutdown().awaitTermination();
            }
        };
    }

    static ServerServiceDefinition service(String instance) {
        ServerServiceDefinition.Builder service = ServerServiceDefinition.builder(GrpcClient.SERVICE);
        for (MethodType type : MethodType.values()) {
            if (type != MethodType.UNKNOWN) {
                service.addMethod(GrpcClient.method(type), answering(instance));
            }
        }
        return service.build();
    }

    private static ServerCallHandler<String, String> answering(String instance) {
        return (call, headers) -> {
            MethodDescriptor<String, String> method = call.getMethodDescriptor();
            call.request(Integer.MAX_VALUE);
            return new ServerCall.Listener<>() {
                private String last = "";
                private boolean headersSent;

                @Override
                public void onMessage(String message) {
                    last = message;
                    if (!method.getType().serverSendsOneMessage()) {
                        answer();
                    }
                }

                @Override
                public void onHalfClose() {
                    if (method.getType().serverSendsOneMessage()) {
                        answer();
                    }
                    call.close(Status.OK, new Metadata());
                }

                private void answer() {
                    if (!headersSent) {
                        headersSent = true;
                        call.sendHeaders(new Metadata());
                    }
                    call.sendMessage(instance + ":" + last);
                }
            };
        };
    }
}
