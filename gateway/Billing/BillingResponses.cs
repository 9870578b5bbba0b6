using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Billing;

/// <summary><c>AccountBillingInfo</c>.</summary>
internal sealed record BillingInfoResponse(string? PaymentMethod, string? BillingEmail);

/// <summary><c>UsageResponse</c>.</summary>
internal sealed record BillingUsageResponse(IReadOnlyList<BillingUsageDay> DailyUsage, double TotalMinutes, double TotalSipMinutes);

/// <summary><c>BillingUsageDay</c>.</summary>
internal sealed record BillingUsageDay(DateOnly Date, double Minutes)
{
    /// <summary>Always 0: no call is a SIP call yet.</summary>
    public double SipMinutes => 0;
}

/// <summary><c>PaginatedInvoiceList</c>, which unlike other lists has no total.</summary>
internal sealed record InvoicePageResponse(string? Next, string? Previous, IReadOnlyList<InvoiceResponse> Results);

/// <summary><c>Invoice</c>. Amounts in the currency's smallest unit.</summary>
internal sealed record InvoiceResponse(
    DateTimeOffset InvoiceDate, int Amount,
    [property: AllowedValues("manual", "subscription_create", "subscription_cycle", "subscription_threshold", "subscription_update")] string BillingReason,
    string InvoiceNumber, [property: AllowedValues("paid", "unpaid")] string InvoiceStatus, Uri InvoiceUrl);
