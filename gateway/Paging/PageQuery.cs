using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Paging;

/// <summary>The query parameters that every list takes: <c>cursor</c> and <c>pageSize</c>. Sizes above the greatest are cut to it.</summary>
[TakesQuery("cursor", "pageSize:integer")]
public sealed record PageQuery(PageRequest Page)
{
    public static ValueTask<PageQuery?> BindAsync(HttpContext context, ParameterInfo parameter)
        => ValueTask.FromResult<PageQuery?>(Read(context.Request.Query));

    /// <exception cref="InvalidInputException">A parameter is wrong.</exception>
    public static PageQuery Read(IQueryCollection query)
    {
        var size = PageRequest.DefaultSize;
        if (QueryText.Read(query, "pageSize") is { } text
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size < 1))
            throw new InvalidInputException("pageSize", "A positive integer is required.");
        return new PageQuery(new PageRequest(QueryText.Read(query, "cursor"), Math.Min(size, PageRequest.MaxSize)));
    }
}
