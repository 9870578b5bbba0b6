using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using VoiceGrains.Gateway.Connection;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Errors;

/// <summary>The one place where a failure becomes an answer. What is not listed here is a bug: logged whole, answered with a plain 500.</summary>
internal sealed partial class PlatformExceptionHandler(ILogger<PlatformExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        switch (exception)
        {
            case UnprocessableException unprocessable:
                await ErrorBody.WriteAsync(context, StatusCodes.Status422UnprocessableEntity, unprocessable.Problems.ToJson());
                break;
            case InvalidInputException invalid:
                await ErrorBody.WriteAsync(context, StatusCodes.Status400BadRequest, invalid.Errors.ToJson());
                break;
            case PlatformException refused:
                await ErrorBody.WriteAsync(context, refused.Code, refused.Message, refused.RetryAfter);
                break;
            case BadHttpRequestException bad:   // from Kestrel or model binding: its words are about the request
                await ErrorBody.WriteAsync(context, bad.StatusCode, new JsonObject { ["detail"] = bad.Message });
                break;
            case OperationCanceledException when context.RequestAborted.IsCancellationRequested:
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                break;
            case var failure when Outage.From(failure) is { } outage:
                LogUnavailable(context.Request.Method, context.GetEndpoint()?.DisplayName, exception.Message);
                await ErrorBody.WriteAsync(context, outage.Code, outage.Message, outage.RetryAfter);
                break;
            default:
                LogUnexpected(context.Request.Method, context.GetEndpoint()?.DisplayName, exception);
                await ErrorBody.WriteAsync(context, StatusCodes.Status500InternalServerError, new JsonObject { ["detail"] = "A server error occurred." });
                break;
        }
        return true;
    }

    [LoggerMessage(2002, LogLevel.Warning, "{Method} {Endpoint} was answered 503: {Reason}")]
    private partial void LogUnavailable(string method, string? endpoint, string reason);

    [LoggerMessage(2001, LogLevel.Error, "{Method} {Endpoint} failed unexpectedly")]
    private partial void LogUnexpected(string method, string? endpoint, Exception exception);
}
