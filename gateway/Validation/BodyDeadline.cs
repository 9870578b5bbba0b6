using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Validation;

/// <summary>When a body must have arrived. A client that sends it byte by byte is never slow enough for a rate alone to tell.</summary>
internal static class BodyDeadline
{
    /// <exception cref="PlatformException"><see cref="HttpErrors.TooSlow"/>.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, TimeSpan limit, Func<CancellationToken, Task<T>> read)
    {
        using var late = new CancellationTokenSource(limit, request.HttpContext.RequestServices.GetRequiredService<TimeProvider>());
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, request.HttpContext.RequestAborted);
        try
        {
            return await read(either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            request.HttpContext.Response.Headers.Connection = "close";      // what is left of the body is not waited for
            throw new PlatformException(HttpErrors.TooSlow, $"The request body did not arrive within {limit.TotalSeconds:0} s.");
        }
    }
}
