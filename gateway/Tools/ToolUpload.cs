using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Tools;

/// <summary>Reads the <c>file</c> of a <c>multipart/form-data</c> body into memory.</summary>
internal static class ToolUpload
{
    /// <summary>Of boundaries and headers around the file.</summary>
    private const int Around = 16 * 1024;

    public static bool Is(HttpRequest request)
        => MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="PlatformException"><see cref="HttpErrors.TooLarge"/>, <see cref="HttpErrors.ParseError"/>.</exception>
    /// <exception cref="InvalidInputException">There is no file.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit + Around) throw TooLarge(limit);
        var form = await ReadFormAsync(request, limit, cancellationToken);
        if (form.Files.Count != 1 || form.Files.GetFile("file") is not { } file) throw new InvalidInputException("file", "No file was submitted.");
        if (file.Length > limit) throw TooLarge(limit);
        if (file.Length == 0) throw new InvalidInputException("file", "The submitted file is empty.");
        var bytes = new byte[file.Length];
        await using var stream = file.OpenReadStream();
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    private static async Task<IFormCollection> ReadFormAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        var options = new FormOptions
        {
            MultipartBodyLengthLimit = limit + Around, MemoryBufferThreshold = limit + Around, ValueCountLimit = 8, ValueLengthLimit = 1024, KeyLengthLimit = 128,
            MultipartHeadersCountLimit = 8, MultipartHeadersLengthLimit = 4096,
        };
        try
        {
            return await new FormFeature(request, options).ReadFormAsync(cancellationToken);
        }
        catch (InvalidDataException problem) when (problem.Message.Contains("body length limit", StringComparison.Ordinal))
        {
            throw TooLarge(limit);
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw new PlatformException(HttpErrors.ParseError, $"Multipart form parse error - {problem.Message}");
        }
    }

    private static PlatformException TooLarge(int limit) => new(HttpErrors.TooLarge, $"The file exceeded the limit of {limit} bytes.");
}
