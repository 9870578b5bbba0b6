using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces.Paging;

namespace VoiceGrains.Gateway.Paging;

/// <summary>A page as every list answers it; its links are absolute and keep the request's other parameters.</summary>
/// <param name="Total">Left out where it is not known: in the description it is not required, but no null either.</param>
public sealed record PageResponse<T>(
    string? Next, string? Previous, IReadOnlyList<T> Results, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Total);

public static class PageResponse
{
    public static PageResponse<T> From<T>(Page<T> page, HttpRequest request)
        => new(Link(request, page.Next), Link(request, page.Previous), page.Results, page.Total);

    private static string? Link(HttpRequest request, string? cursor)
    {
        if (cursor is null) return null;
        var query = new QueryBuilder { { "cursor", cursor } };
        foreach (var (name, values) in request.Query)
            if (name != "cursor") query.Add(name, values.Where(v => v is not null).Select(v => v!));
        return PublicBase(request) + request.PathBase + request.Path + query.ToQueryString();
    }

    /// <summary>Scheme and host of absolute links: the configured ones, else those of the request.</summary>
    internal static string PublicBase(HttpRequest request)
        => request.HttpContext.RequestServices.GetRequiredService<IOptions<GatewayOptions>>().Value.PublicUrl?.TrimEnd('/')
           ?? $"{request.Scheme}://{request.Host}";
}
