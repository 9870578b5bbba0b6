using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Gateway.Models;

/// <summary><c>ModelAlias</c>.</summary>
internal sealed record ModelResponse(string Name);

internal static class ModelEndpoints
{
    public static void MapModels(this IEndpointRouteBuilder routes) => routes.MapGet("/api/models", List).WithTags("models").WithName("ListModels");

    /// <summary>In the catalog's order: the default comes first.</summary>
    private static Ok<PageResponse<ModelResponse>> List(HttpRequest request, Caller _, PageQuery query, ILanguageModelCatalog catalog)
    {
        var places = catalog.Aliases.Select((alias, place) => (Alias: alias, Place: place.ToString("D6", CultureInfo.InvariantCulture)));
        var page = KeysetList.Page(places, "catalog", alias => alias.Place, query.Page);
        return TypedResults.Ok(PageResponse.From(page.Select(alias => new ModelResponse(alias.Alias)), request));
    }
}
