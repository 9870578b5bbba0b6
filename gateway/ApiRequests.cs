using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Gateway;

/// <summary>Which requests are of the API. Health checks, metrics and media connections are not.</summary>
internal static class ApiRequests
{
    public const string GrpcContentType = "application/grpc";

    /// <summary>What only the administrator may, at <c>/admin</c>.</summary>
    public static bool IsAdministration(HttpRequest request) => request.Path.StartsWithSegments("/admin");

    /// <summary>The connection API: bearer keys, and errors in a form of its own.</summary>
    public static bool IsConnection(HttpRequest request) => request.Path.StartsWithSegments("/api/v1");

    /// <summary>The talk page and its calls.</summary>
    public static bool IsTalk(HttpRequest request) => request.Path.StartsWithSegments("/talk");

    public static bool IsRest(HttpRequest request) => request.Path.StartsWithSegments("/api");

    /// <summary>Whether the request's content type is gRPC's, with protobuf or any other payload.</summary>
    public static bool IsGrpc(HttpRequest request) => request.ContentType is { } type && type.StartsWith(GrpcContentType, StringComparison.OrdinalIgnoreCase)
        && (type.Length == GrpcContentType.Length || type[GrpcContentType.Length] is '+' or ';' or ' ');
}
