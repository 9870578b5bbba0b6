using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Usage;

namespace VoiceGrains.Gateway.Billing;

/// <summary>Billing as far as a server knows it that charges nobody: minutes are counted, invoices are written elsewhere.</summary>
internal static class BillingEndpoints
{
    public static void MapBilling(this IEndpointRouteBuilder routes)
    {
        var billing = routes.MapGroup("/api/accounts/me/billing").WithTags("accounts");
        billing.MapGet("", Get).WithName("GetBilling");
        billing.MapGet("/usage", GetUsageAsync).WithName("GetBillingUsage").TakesQuery("fromDate:date", "toDate:date");
        billing.MapGet("/invoices", ListInvoices).WithName("ListInvoices");
    }

    private static Ok<BillingInfoResponse> Get(Caller _, IOptions<BillingOptions> options)
        => TypedResults.Ok(new BillingInfoResponse(options.Value.PaymentMethod, options.Value.Email));

    /// <summary>Every day of the period, also those without calls.</summary>
    private static async Task<Ok<BillingUsageResponse>> GetUsageAsync(
        Caller caller, HttpRequest request, UsageStore usage, IOptions<BillingOptions> options, TimeProvider clock, CancellationToken cancellationToken)
    {
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var period = BillingPeriod.Read(request.Query, today, options.Value.CycleDay);
        var minutes = await usage.ReadBilledMinutesAsync(caller.AccountId, period.From, period.To, cancellationToken);
        var days = new List<BillingUsageDay>();
        for (var day = period.From; day < period.To; day = day.AddDays(1)) days.Add(new(day, minutes.GetValueOrDefault(day)));
        return TypedResults.Ok(new BillingUsageResponse(days, Math.Round(days.Sum(day => day.Minutes), 1), 0));
    }

    /// <summary>Unlike other lists, this one is described with a greatest page: more is refused, not cut.</summary>
    private static Ok<InvoicePageResponse> ListInvoices(Caller _, PageQuery query, HttpRequest request)
    {
        if (int.TryParse(request.Query["pageSize"], NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > PageRequest.MaxSize)
            throw new InvalidInputException("pageSize", $"Ensure this value is less than or equal to {PageRequest.MaxSize}.");
        var page = KeysetList.Page<InvoiceResponse>([], "invoiceDate", invoice => invoice.InvoiceNumber, query.Page);
        return TypedResults.Ok(new InvoicePageResponse(page.Next, page.Previous, page.Results));
    }
}
