package com.example.clients;

import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.cloud.gateway.route.builder.RouteLocatorBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration
class GatewayRoutes {
    @Bean
    RouteLocator routes(RouteLocatorBuilder builder) {
        return builder.routes()
                .route(route -> route.path("/by-name/**").filters(filters -> filters.stripPrefix(1)).uri("http://orders"))
                .route(route -> route.path("/balanced/**").filters(filters -> filters.stripPrefix(1)).uri("lb://orders"))
                .route(route -> route.path("/balanced-name/**").filters(filters -> filters.stripPrefix(1)).uri("lb://named"))
                .build();
    }
}
