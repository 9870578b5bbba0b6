using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Gateway.Errors;

/// <summary>
/// HEAD wherever there is GET (RFC 9110 §9.3.2). Routes are found as for GET; from then on the request is HEAD again, for which the server sends no body.
/// </summary>
internal static class HeadRequests
{
    private static readonly object Key = new();

    /// <summary>Routing in between sees GET.</summary>
    public static IApplicationBuilder UseRoutingWithHead(this IApplicationBuilder app) => app
        .Use(static (context, next) =>
        {
            if (HttpMethods.IsHead(context.Request.Method) && ApiRequests.IsRest(context.Request))
            {
                context.Items[Key] = context.Request.Method;
                context.Request.Method = HttpMethods.Get;
            }
            return next(context);
        })
        .UseRouting()
        .Use(static (context, next) =>
        {
            if (context.Items.Remove(Key)) context.Request.Method = HttpMethods.Head;
            return next(context);
        });
}
