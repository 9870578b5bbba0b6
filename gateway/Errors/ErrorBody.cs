using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Errors;

/// <summary>The bodies of refusals, as Ultravox clients parse them: Django REST framework's.</summary>
internal static class ErrorBody
{
    public static Task WriteAsync(HttpContext context, ErrorCode code, string detail, TimeSpan? retryAfter = null)
    {
        if (retryAfter is { } wait) context.Response.Headers.RetryAfter = $"{Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds))}";
        var body = new JsonObject { ["detail"] = detail, ["code"] = code.Name };
        if (ApiRequests.IsConnection(context.Request)) body["error"] = code.Title;
        return WriteAsync(context, code.Status, body);
    }

    public static async Task WriteAsync(HttpContext context, int status, JsonNode body)
    {
        context.Response.StatusCode = status;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body.ToJsonString(WireJson.Options), context.RequestAborted);
    }

    /// <summary>Gives answers without a body, such as routing's own 404 and 405, the body that a client expects.</summary>
    public static Task WriteForStatusAsync(StatusCodeContext status)
    {
        var context = status.HttpContext;
        if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed && HttpMethods.IsOptions(context.Request.Method)) return TellMethods(context.Response);
        var method = JsonSerializer.Serialize(context.Request.Method, WireJson.Options);
        var detail = context.Response.StatusCode switch
        {
            400 => "Bad request.",
            404 => "Not found.",
            405 => $"Method {method} not allowed.",
            415 => $"Unsupported media type \"{context.Request.ContentType}\" in request.",
            >= 500 => "A server error occurred.",
            _ => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(context.Response.StatusCode) + ".",
        };
        var body = new JsonObject { ["detail"] = detail };
        if (ApiRequests.IsConnection(context.Request)) body["error"] = detail;
        return WriteAsync(context, context.Response.StatusCode, body);
    }

    /// <summary>Routing has found the methods of the path; that is all there is to tell of it (RFC 9110 §9.3.7).</summary>
    private static Task TellMethods(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status204NoContent;
        var methods = response.Headers.Allow.ToString();
        response.Headers.Allow = methods.Contains("GET", StringComparison.Ordinal) ? methods + ", HEAD, OPTIONS" : methods + ", OPTIONS";
        return Task.CompletedTask;
    }
}
