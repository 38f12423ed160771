"""What sales and service know of a customer's company: holds, health, escalations and satisfaction.

Owns each with who entered it and when, and the predicates by which the vendor's own people leave a company
alone. Limits only what the vendor asks for: conversations and matching lie below and cannot ask this
package, so nothing here keeps a prospect's question from a customer.
"""
